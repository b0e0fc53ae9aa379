package org.efl.benchmarks.systems;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.efl.communicator.DType;
import org.efl.communicator.Peer;
import org.efl.communicator.Role;
import org.efl.communicator.Tensor;

/**
 * Small tensors of many names. All names are under way at once; a name's next tensor is sent when
 * the last has been consumed.
 */
final class ManyNames {
  /** Receives that are posted for each name. */
  private static final int AHEAD = 3;

  private ManyNames() {}

  private static String name(int number) {
    return "tensor" + number;
  }

  /** How often each name is sent in a repetition. */
  private static int rounds(ChildOptions options) {
    return Math.max(1, options.total / options.names);
  }

  static Serving serve(ChildOptions options) {
    BufferEndpoint endpoint = new BufferEndpoint(Role.LEADER, options);
    for (int i = 0; i < options.names; i++) {
      endpoint.peer().registerTensor(name(i), DType.FLOAT, options.size());
    }
    return new Receiver(endpoint, options);
  }

  static Repetitions drive(ChildOptions options) throws Exception {
    BufferEndpoint endpoint = new BufferEndpoint(Role.FOLLOWER, options);
    Sender sender = new Sender(endpoint, options);
    endpoint.connect();
    return sender;
  }

  private static final class Receiver implements Serving {
    private final BufferEndpoint endpoint;
    private final Peer peer;
    private final int names;
    private final int size;
    private final int rounds;

    /** Ends with the first failure. */
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    Receiver(BufferEndpoint endpoint, ChildOptions options) {
      this.endpoint = endpoint;
      peer = endpoint.peer();
      names = options.names;
      size = options.size();
      rounds = rounds(options);
    }

    @Override
    public void run() throws Exception {
      endpoint.connect();
      for (int i = 0; i < names; i++) {
        Receives receives = new Receives(name(i));
        for (int ahead = 0; ahead < AHEAD; ahead++) {
          receives.post();
        }
      }
      EflServing.untilLeft(ended::get);
    }

    /** Those of a name. Whichever thread sees one arrive posts the next in line. */
    private final class Receives {
      private final String name;
      private long next;

      Receives(String name) {
        this.name = name;
      }

      synchronized void post() {
        long step = next++;
        CompletableFuture<Void> unused =
            peer.receive(name, step)
                .thenAccept(
                    tensor -> {
                      post();
                      check(tensor, step);
                    })
                .whenComplete((done, failure) -> endIfFailed(failure));
      }
    }

    private void endIfFailed(Throwable failure) {
      if (failure != null) {
        ended.completeExceptionally(failure.getCause() == null ? failure : failure.getCause());
      }
    }

    private void check(Tensor tensor, long step) {
      FloatBuffer floats = tensor.data().asFloatBuffer();
      Payload.checkMarks(size, step, floats::get);
      if (step % rounds == rounds - 1) {
        Payload.checkAll(size, step, floats::get);
      }
    }

    @Override
    public void close() {
      endpoint.close();
    }
  }

  private static final class Sender implements Repetitions {
    private final BufferEndpoint endpoint;
    private final Peer peer;
    private final List<Named> all = new ArrayList<>();
    private final int rounds;
    private long step;

    Sender(BufferEndpoint endpoint, ChildOptions options) {
      this.endpoint = endpoint;
      peer = endpoint.peer();
      rounds = rounds(options);
      ByteBuffer room = ByteBuffer.allocateDirect(options.names * options.bytes);
      for (int i = 0; i < options.names; i++) {
        ByteBuffer data = room.slice(i * options.bytes, options.bytes);
        all.add(new Named(name(i), data.order(ByteOrder.nativeOrder()), options.size()));
      }
    }

    @Override
    public void repeat() throws Exception {
      CompletableFuture<?>[] sending =
          all.stream().map(named -> send(named, step, rounds)).toArray(CompletableFuture<?>[]::new);
      CompletableFuture.allOf(sending).get();
      step += rounds;
    }

    private CompletableFuture<Void> send(Named named, long number, int times) {
      Payload.mark(named.size(), number, named.floats()::put);
      CompletableFuture<Void> sent =
          peer.send(named.name(), number, DType.FLOAT, new long[] {named.size()}, named.data());
      return times == 1 ? sent : sent.thenCompose(done -> send(named, number + 1, times - 1));
    }

    /** The serving end looks at every tensor, and leaves when one is wrong. */
    @Override
    public void verify() {}

    @Override
    public void close() {
      endpoint.close();
    }
  }

  private record Named(String name, ByteBuffer data, int size) {
    Named {
      Payload.fill(size, data.asFloatBuffer()::put);
    }

    FloatBuffer floats() {
      return data.asFloatBuffer();
    }
  }
}
