package org.efl.benchmarks.systems;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLException;

/** There and back over grpc-java; the next message leaves from where the last one arrives. */
final class GrpcRoundTrips implements RoundTrips {
  private final ManagedChannel channel;
  private final ArrayTensor ping;
  private final ByteBuffer pong;
  private final StreamObserver<GrpcMessage> call;

  private long number;
  private int at;
  private long[] nanos;
  private long start;
  private CompletableFuture<Void> ended = new CompletableFuture<>();

  private GrpcRoundTrips(ChildOptions options, ManagedChannel channel) {
    this.channel = channel;
    ping = new ArrayTensor(options);
    pong = ByteBuffer.allocateDirect(options.bytes).order(ByteOrder.nativeOrder());
    call =
        ClientCalls.asyncBidiStreamingCall(
            channel.newCall(GrpcMessage.ECHO, CallOptions.DEFAULT), new Answers());
  }

  static RoundTrips open(ChildOptions options) throws SSLException {
    return new GrpcRoundTrips(options, GrpcSetup.channel(options));
  }

  @Override
  public void run(long[] times) throws Exception {
    synchronized (this) {
      nanos = times;
      at = 0;
      ended = new CompletableFuture<>();
      send();
    }
    ended.get();
    FloatBuffer floats = pong.asFloatBuffer();
    Payload.checkAll(floats.capacity(), number - 1, floats::get);
  }

  private void send() {
    start = System.nanoTime();
    ping.mark(number);
    call.onNext(ping.message());
  }

  private synchronized void arrived(GrpcMessage message) {
    message.land(pong.clear());
    nanos[at++] = System.nanoTime() - start;
    FloatBuffer floats = pong.clear().asFloatBuffer();
    Payload.checkMarks(floats.capacity(), number++, floats::get);
    if (at < nanos.length) {
      send();
    } else {
      ended.complete(null);
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  private final class Answers implements StreamObserver<GrpcMessage> {
    @Override
    public void onNext(GrpcMessage message) {
      arrived(message);
    }

    @Override
    public void onError(Throwable failure) {
      ended.completeExceptionally(failure);
    }

    @Override
    public void onCompleted() {
      ended.completeExceptionally(new IllegalStateException("The serving end has left."));
    }
  }
}
