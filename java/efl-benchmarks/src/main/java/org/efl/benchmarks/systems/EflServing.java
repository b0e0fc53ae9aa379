package org.efl.benchmarks.systems;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.efl.benchmarks.systems.Endpoint.Exchange;
import org.efl.benchmarks.systems.Endpoint.Received;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.Role;

/** The leader, which serves. */
abstract class EflServing implements Serving {
  private final Endpoint endpoint;

  EflServing(Endpoint endpoint) {
    this.endpoint = endpoint;
  }

  static Serving open(Endpoint.Factory factory, ChildOptions options) {
    Endpoint endpoint = factory.open(Role.LEADER, options);
    return switch (options.childCase) {
      case THROUGHPUT, ONE -> new Stream(endpoint, options);
      case ROUNDTRIP ->
          new Answers(
              endpoint,
              endpoint.answer(
                  List.of(),
                  TensorSpec.floats("ping", options.size()),
                  TensorSpec.floats("pong", options.size())),
              options.size());
      case STEPS -> {
        TensorSpec fc1 = TensorSpec.activations("fc1");
        yield new Answers(
            endpoint,
            endpoint.answer(List.of(TensorSpec.ids()), fc1, TensorSpec.activations("fc1_grad")),
            fc1.size());
      }
      case NAMES -> throw new IllegalArgumentException("Names are not served by this system.");
    };
  }

  @Override
  public final void run() throws Exception {
    untilLeft(
        () -> {
          endpoint.connect();
          serve();
        });
  }

  /** Serving ends by the leaving of a party; that is no failure. */
  static void untilLeft(Work work) throws Exception {
    try {
      work.run();
    } catch (ExecutionException | CommunicatorException e) {
      if (!hasLeft(e)) {
        throw e;
      }
    }
  }

  private static boolean hasLeft(Throwable failure) {
    if (failure instanceof ExecutionException) {
      return hasLeft(failure.getCause());
    }
    return failure instanceof CommunicatorException e
        && (e.code() == Code.UNAVAILABLE || e.code() == Code.CANCELLED);
  }

  /** Something that may fail. */
  interface Work {
    void run() throws Exception;
  }

  /** Goes on until it fails. */
  abstract void serve() throws Exception;

  @Override
  public void close() {
    endpoint.close();
  }

  /** Answers each tensor with itself. */
  private static final class Answers extends EflServing {
    private final Exchange exchange;
    private final int size;

    Answers(Endpoint endpoint, Exchange exchange, int size) {
      super(endpoint);
      this.exchange = exchange;
      this.size = size;
    }

    @Override
    void serve() throws Exception {
      for (long number = 0; ; number++) {
        try (Received received = exchange.run(number)) {
          Payload.checkMarks(size, number, received.tensor(0));
        }
      }
    }
  }

  /** Receives tensor after tensor, a thread for each that may be under way. */
  private static final class Stream extends EflServing {
    private final ChildOptions options;
    private final List<Exchange> slots = new ArrayList<>();
    private final Exchange verdict;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    Stream(Endpoint endpoint, ChildOptions options) {
      super(endpoint);
      this.options = options;
      for (TensorSpec spec : TensorSpec.streamed(options)) {
        slots.add(endpoint.exchange(List.of(), List.of(spec)));
      }
      verdict = endpoint.exchange(List.of(TensorSpec.verdict()), List.of());
    }

    @Override
    void serve() throws Exception {
      List<Future<Void>> repetition = start(0);
      for (long first = options.count; ; first += options.count) {
        try {
          for (Future<Void> slot : repetition) {
            slot.get();
          }
        } catch (ExecutionException e) {
          if (e.getCause() instanceof PayloadException) {
            verdict.run(0).close();
          }
          throw e;
        }
        repetition = start(first);
        verdict.run(1).close();
      }
    }

    private List<Future<Void>> start(long first) {
      List<Future<Void>> repetition = new ArrayList<>();
      for (int slot = 0; slot < slots.size(); slot++) {
        int own = slot;
        repetition.add(
            threads.submit(
                () -> {
                  receive(own, first);
                  return null;
                }));
      }
      return repetition;
    }

    private void receive(int slot, long first) throws Exception {
      int size = options.size();
      for (int i = slot; i < options.count; i += slots.size()) {
        try (Received received = slots.get(slot).run(0)) {
          Payload.checkMarks(size, first + i, received.tensor(0));
          if (i == options.count - 1) {
            Payload.checkAll(size, first + i, received.tensor(0));
          }
        }
      }
    }

    @Override
    public void close() {
      super.close();
      threads.shutdown();
    }
  }
}
