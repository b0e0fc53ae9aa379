package org.efl.benchmarks.systems;

import java.util.Locale;

/** The systems that are Java programs. */
enum ChildSystem {
  /** TensorFlow op to TensorFlow op. */
  EFL_OP {
    @Override
    Serving serve(ChildOptions options) throws Exception {
      return EflServing.open(OpEndpoint::new, options);
    }

    @Override
    Repetitions repetitions(ChildOptions options) throws Exception {
      return EflDriving.repetitions(OpEndpoint::new, options);
    }

    @Override
    RoundTrips roundTrips(ChildOptions options) throws Exception {
      return EflDriving.roundTrips(OpEndpoint::new, options);
    }
  },
  /** Node and Peer with direct buffers, no TensorFlow. */
  EFL_JAVA {
    @Override
    Serving serve(ChildOptions options) throws Exception {
      return switch (options.childCase) {
        case NAMES -> ManyNames.serve(options);
        case ROUNDTRIP -> BufferRoundTrips.serve(options);
        default -> EflServing.open(BufferEndpoint::new, options);
      };
    }

    @Override
    Repetitions repetitions(ChildOptions options) throws Exception {
      return options.childCase == ChildCase.NAMES
          ? ManyNames.drive(options)
          : EflDriving.repetitions(BufferEndpoint::new, options);
    }

    @Override
    RoundTrips roundTrips(ChildOptions options) throws Exception {
      return BufferRoundTrips.open(options);
    }
  },
  GRPC_JAVA {
    @Override
    Serving serve(ChildOptions options) throws Exception {
      return GrpcServing.open(options);
    }

    @Override
    Repetitions repetitions(ChildOptions options) throws Exception {
      return GrpcStream.open(options);
    }

    @Override
    RoundTrips roundTrips(ChildOptions options) throws Exception {
      return GrpcRoundTrips.open(options);
    }
  },
  FLIGHT_JAVA {
    @Override
    Serving serve(ChildOptions options) throws Exception {
      return FlightServing.open(options);
    }

    @Override
    Repetitions repetitions(ChildOptions options) throws Exception {
      return FlightPut.open(options);
    }

    @Override
    RoundTrips roundTrips(ChildOptions options) throws Exception {
      return FlightRoundTrips.open(options);
    }
  };

  abstract Serving serve(ChildOptions options) throws Exception;

  abstract Repetitions repetitions(ChildOptions options) throws Exception;

  abstract RoundTrips roundTrips(ChildOptions options) throws Exception;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
