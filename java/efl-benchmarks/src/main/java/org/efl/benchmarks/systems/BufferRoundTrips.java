package org.efl.benchmarks.systems;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.concurrent.CompletableFuture;
import org.efl.communicator.DType;
import org.efl.communicator.Peer;
import org.efl.communicator.Role;
import org.efl.communicator.Tensor;

/**
 * There and back between direct buffers, received into the same memory each time. The next tensor
 * leaves from where the last one arrives, on a thread of the kernel. The step is the number of the
 * trip.
 */
final class BufferRoundTrips implements RoundTrips {
  private static final String PING = "ping";
  private static final String PONG = "pong";

  private final BufferEndpoint endpoint;
  private final Peer peer;
  private final ByteBuffer ping;
  private final ByteBuffer pong;
  private final int size;

  // Of one thread at a time: the one that starts the trips, then whichever ends one.
  private long number;
  private int at;
  private long[] nanos;
  private long start;
  private CompletableFuture<Void> ended = new CompletableFuture<>();

  private BufferRoundTrips(BufferEndpoint endpoint, ChildOptions options) {
    this.endpoint = endpoint;
    peer = endpoint.peer();
    size = options.size();
    ping = room(options);
    pong = room(options);
    Payload.fill(size, ping.asFloatBuffer()::put);
    peer.registerTensor(PONG, DType.FLOAT, size);
  }

  static RoundTrips open(ChildOptions options) throws Exception {
    BufferEndpoint endpoint = new BufferEndpoint(Role.FOLLOWER, options);
    BufferRoundTrips trips = new BufferRoundTrips(endpoint, options);
    endpoint.connect();
    return trips;
  }

  static Serving serve(ChildOptions options) {
    return new Echo(new BufferEndpoint(Role.LEADER, options), options);
  }

  private static ByteBuffer room(ChildOptions options) {
    return ByteBuffer.allocateDirect(options.bytes).order(ByteOrder.nativeOrder());
  }

  @Override
  public void run(long[] times) throws Exception {
    nanos = times;
    at = 0;
    ended = new CompletableFuture<>();
    trip();
    ended.get();
    Payload.checkAll(size, number - 1, pong.asFloatBuffer()::get);
  }

  private void trip() {
    Payload.mark(size, number, ping.asFloatBuffer()::put);
    start = System.nanoTime();
    CompletableFuture<Void> back = peer.receive(PONG, number, pong).thenAccept(tensor -> arrived());
    CompletableFuture<Void> sent = peer.send(PING, number, DType.FLOAT, new long[] {size}, ping);
    CompletableFuture<Void> unused =
        CompletableFuture.allOf(back, sent)
            .thenRun(this::next)
            .whenComplete((done, failure) -> endIfFailed(ended, failure));
  }

  private void arrived() {
    nanos[at++] = System.nanoTime() - start;
    Payload.checkMarks(size, number++, pong.asFloatBuffer()::get);
  }

  private void next() {
    if (at < nanos.length) {
      trip();
    } else {
      ended.complete(null);
    }
  }

  private static void endIfFailed(CompletableFuture<Void> ended, Throwable failure) {
    if (failure != null) {
      ended.completeExceptionally(failure.getCause() == null ? failure : failure.getCause());
    }
  }

  @Override
  public void close() {
    endpoint.close();
  }

  /** Answers each tensor with itself. */
  private static final class Echo implements Serving {
    /** So that the next tensor has its place while the last is on its way back. */
    private static final int AHEAD = 2;

    private final BufferEndpoint endpoint;
    private final Peer peer;
    private final int size;
    private final ByteBuffer[] rooms = new ByteBuffer[AHEAD];

    /** The first receives wait, in the order of their tensors. */
    private final CompletableFuture<Void> posted = new CompletableFuture<>();

    /** Ends with the first failure. */
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    Echo(BufferEndpoint endpoint, ChildOptions options) {
      this.endpoint = endpoint;
      peer = endpoint.peer();
      size = options.size();
      for (int i = 0; i < AHEAD; i++) {
        rooms[i] = room(options);
      }
      peer.registerTensor(PING, DType.FLOAT, size);
    }

    @Override
    public void run() throws Exception {
      endpoint.connect();
      for (int number = 0; number < AHEAD; number++) {
        post(number);
      }
      posted.complete(null);
      EflServing.untilLeft(ended::get);
    }

    private void post(long number) {
      CompletableFuture<Tensor> received =
          peer.receive(PING, number, rooms[(int) (number % AHEAD)]);
      CompletableFuture<Void> unused =
          posted
              .thenCompose(ready -> received)
              .thenCompose(tensor -> answer(number, tensor))
              .thenRun(() -> post(number + AHEAD))
              .whenComplete((done, failure) -> endIfFailed(ended, failure));
    }

    private CompletableFuture<Void> answer(long number, Tensor tensor) {
      CompletableFuture<Void> sent =
          peer.send(PONG, number, tensor.dtype(), tensor.dims(), tensor.data());
      FloatBuffer floats = tensor.data().asFloatBuffer();
      Payload.checkMarks(size, number, floats::get);
      return sent;
    }

    @Override
    public void close() {
      endpoint.close();
    }
  }
}
