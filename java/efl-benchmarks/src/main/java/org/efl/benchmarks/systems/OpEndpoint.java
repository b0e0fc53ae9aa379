package org.efl.benchmarks.systems;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.efl.communicator.Role;
import org.efl.tensorflow.Communicator;
import org.efl.tensorflow.SessionConfigs;
import org.efl.tensorflow.TrainingSession;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.FloatDataBuffer;
import org.tensorflow.ndarray.buffer.LongDataBuffer;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.family.TType;

/** A party whose tensors are sent and received by TensorFlow ops; an exchange is a run. */
final class OpEndpoint implements Endpoint {
  private final Communicator communicator;
  private final Graph graph = new Graph();
  private final Ops tf = Ops.create(graph);
  private final boolean steps;
  private TrainingSession session;

  OpEndpoint(Role role, ChildOptions options) {
    steps = options.childCase == ChildCase.STEPS;
    communicator =
        Communicator.builder()
            .federalRole(role)
            .localAddress(EflPorts.local(role, options))
            .peerAddress(EflPorts.peer(role, options))
            .defaultTimeout(Duration.ofMinutes(5))
            .build();
  }

  @Override
  public Exchange exchange(List<TensorSpec> sends, List<TensorSpec> receives) {
    OpExchange exchange = new OpExchange();
    sends.forEach(exchange::send);
    receives.forEach(exchange::receive);
    return exchange;
  }

  @Override
  public Exchange answer(List<TensorSpec> sends, TensorSpec received, TensorSpec answer) {
    OpExchange exchange = new OpExchange();
    sends.forEach(exchange::send);
    Operand<? extends TType> tensor = exchange.receive(received);
    exchange.targets.add(communicator.send(tf, answer.name(), tensor));
    return exchange;
  }

  @Override
  public void connect() {
    session =
        TrainingSession.builder(graph)
            .hook(communicator.hook())
            .config(SessionConfigs.lowLatency())
            .build();
  }

  /** Ends a run of another thread too. */
  @Override
  public void close() {
    communicator.close();
  }

  private Result run(UnaryOperator<Session.Runner> request) {
    if (steps) {
      return session.run(request);
    }
    try {
      return request.apply(session.session().runner()).run();
    } catch (RuntimeException e) {
      throw Communicator.translate(e);
    }
  }

  private static Class<? extends TType> type(TensorSpec spec) {
    return switch (spec.dtype()) {
      case FLOAT -> TFloat32.class;
      case INT64 -> TInt64.class;
      default -> throw new IllegalArgumentException("No case sends " + spec + ".");
    };
  }

  private static Payload.Target target(Tensor tensor) {
    if (tensor instanceof TInt64) {
      LongDataBuffer longs = tensor.asRawTensor().data().asLongs();
      return (index, value) -> longs.setLong((long) value, index);
    }
    FloatDataBuffer floats = tensor.asRawTensor().data().asFloats();
    return (index, value) -> floats.setFloat(value, index);
  }

  private static Payload.Source source(Tensor tensor) {
    if (tensor instanceof TInt64) {
      LongDataBuffer longs = tensor.asRawTensor().data().asLongs();
      return longs::getLong;
    }
    FloatDataBuffer floats = tensor.asRawTensor().data().asFloats();
    return floats::getFloat;
  }

  /** What is fed: one tensor, used again and again. */
  private record Fed(
      TensorSpec spec, Operand<? extends TType> placeholder, Tensor tensor, Payload.Target target) {
    static Fed of(TensorSpec spec, Operand<? extends TType> placeholder) {
      Shape shape = Shape.of(spec.dims());
      Tensor tensor = Tensor.of(type(spec), shape);
      Payload.Target target = OpEndpoint.target(tensor);
      Payload.fill(spec.size(), target);
      return new Fed(spec, placeholder, tensor, target);
    }
  }

  private final class OpExchange implements Exchange {
    private final List<Fed> feeds = new ArrayList<>();
    private final List<Op> targets = new ArrayList<>();
    private final List<Operand<?>> fetches = new ArrayList<>();

    void send(TensorSpec spec) {
      Operand<? extends TType> placeholder =
          tf.placeholder(type(spec), Placeholder.shape(Shape.of(spec.dims())));
      targets.add(communicator.send(tf, spec.name(), placeholder));
      feeds.add(Fed.of(spec, placeholder));
    }

    Operand<? extends TType> receive(TensorSpec spec) {
      Operand<? extends TType> tensor =
          communicator.recv(tf, spec.name(), type(spec), Shape.of(spec.dims()));
      fetches.add(tensor);
      return tensor;
    }

    @Override
    public Received run(long tensor) {
      feeds.forEach(fed -> Payload.mark(fed.spec().size(), tensor, fed.target()));
      return new OpReceived(OpEndpoint.this.run(this::request));
    }

    private Session.Runner request(Session.Runner runner) {
      feeds.forEach(fed -> runner.feed(fed.placeholder(), fed.tensor()));
      targets.forEach(runner::addTarget);
      fetches.forEach(runner::fetch);
      return runner;
    }
  }

  private record OpReceived(Result result) implements Received {
    @Override
    public Payload.Source tensor(int index) {
      return source(result.get(index));
    }

    @Override
    public void close() {
      result.close();
    }
  }
}
