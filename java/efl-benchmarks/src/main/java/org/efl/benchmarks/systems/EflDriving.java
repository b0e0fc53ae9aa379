package org.efl.benchmarks.systems;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.efl.benchmarks.systems.Endpoint.Exchange;
import org.efl.benchmarks.systems.Endpoint.Received;
import org.efl.communicator.Role;

/** The follower, which drives. */
final class EflDriving {
  private EflDriving() {}

  static Repetitions repetitions(Endpoint.Factory factory, ChildOptions options) throws Exception {
    Endpoint endpoint = factory.open(Role.FOLLOWER, options);
    Repetitions repetitions =
        options.childCase == ChildCase.STEPS
            ? new Steps(endpoint, options)
            : new Stream(endpoint, options);
    endpoint.connect();
    return repetitions;
  }

  static RoundTrips roundTrips(Endpoint.Factory factory, ChildOptions options) throws Exception {
    Endpoint endpoint = factory.open(Role.FOLLOWER, options);
    RoundTrips trips = new Trips(endpoint, options.size());
    endpoint.connect();
    return trips;
  }

  /** Sends tensor after tensor, a thread for each that may be under way. */
  private static final class Stream implements Repetitions {
    private final Endpoint endpoint;
    private final ChildOptions options;
    private final List<Exchange> slots = new ArrayList<>();
    private final Exchange verdict;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private long first;

    Stream(Endpoint endpoint, ChildOptions options) {
      this.endpoint = endpoint;
      this.options = options;
      for (TensorSpec spec : TensorSpec.streamed(options)) {
        slots.add(endpoint.exchange(List.of(spec), List.of()));
      }
      verdict = endpoint.exchange(List.of(), List.of(TensorSpec.verdict()));
    }

    @Override
    public void repeat() throws Exception {
      List<Future<Void>> sending = new ArrayList<>();
      for (int slot = 0; slot < slots.size(); slot++) {
        int own = slot;
        sending.add(
            threads.submit(
                () -> {
                  send(own);
                  return null;
                }));
      }
      for (Future<Void> slot : sending) {
        slot.get();
      }
      first += options.count;
    }

    private void send(int slot) throws Exception {
      for (int i = slot; i < options.count; i += slots.size()) {
        slots.get(slot).run(first + i).close();
      }
    }

    @Override
    public void verify() throws Exception {
      try (Received received = verdict.run(0)) {
        if (received.tensor(0).get(0) != 1) {
          throw new PayloadException("What the leader received is not what was sent.");
        }
      }
    }

    @Override
    public void close() {
      threads.shutdown();
      endpoint.close();
    }
  }

  /** Training steps without the training: what the MNIST example's follower exchanges. */
  private static final class Steps implements Repetitions {
    private final Endpoint endpoint;
    private final int count;
    private final TensorSpec ids = TensorSpec.ids();
    private final TensorSpec gradient = TensorSpec.activations("fc1_grad");
    private final Exchange exchange;
    private long step;
    private Received last;

    Steps(Endpoint endpoint, ChildOptions options) {
      this.endpoint = endpoint;
      count = options.count;
      exchange = endpoint.exchange(List.of(TensorSpec.activations("fc1")), List.of(ids, gradient));
    }

    @Override
    public void repeat() throws Exception {
      for (int i = 0; i < count; i++, step++) {
        if (last != null) {
          last.close();
        }
        last = exchange.run(step);
        Payload.checkMarks(ids.size(), step, last.tensor(0));
        Payload.checkMarks(gradient.size(), step, last.tensor(1));
      }
    }

    @Override
    public void verify() {
      Payload.checkAll(ids.size(), step - 1, last.tensor(0));
      Payload.checkAll(gradient.size(), step - 1, last.tensor(1));
    }

    @Override
    public void close() {
      endpoint.close();
    }
  }

  /** There and back, waited for by a thread of the caller. */
  private static final class Trips implements RoundTrips {
    private final Endpoint endpoint;
    private final int size;
    private final Exchange exchange;
    private long number;

    Trips(Endpoint endpoint, int size) {
      this.endpoint = endpoint;
      this.size = size;
      exchange =
          endpoint.exchange(
              List.of(TensorSpec.floats("ping", size)), List.of(TensorSpec.floats("pong", size)));
    }

    @Override
    public void run(long[] nanos) throws Exception {
      for (int i = 0; i < nanos.length; i++, number++) {
        long start = System.nanoTime();
        try (Received back = exchange.run(number)) {
          nanos[i] = System.nanoTime() - start;
          Payload.checkMarks(size, number, back.tensor(0));
          if (i == nanos.length - 1) {
            Payload.checkAll(size, number, back.tensor(0));
          }
        }
      }
    }

    @Override
    public void close() {
      endpoint.close();
    }
  }
}
