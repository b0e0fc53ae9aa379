package org.efl.benchmarks.systems;

import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** The serving end of grpc-java. */
final class GrpcServing {
  /** Messages asked for ahead. */
  private static final int AHEAD = 16;

  private GrpcServing() {}

  static Serving open(ChildOptions options) throws IOException {
    Server server =
        GrpcSetup.server(options)
            .addService(
                ServerServiceDefinition.builder("efl.Benchmark")
                    .addMethod(
                        GrpcMessage.STREAM,
                        ServerCalls.asyncBidiStreamingCall(
                            answers -> new Stream(asking(answers), options)))
                    .addMethod(
                        GrpcMessage.ECHO,
                        ServerCalls.asyncBidiStreamingCall(
                            answers -> new Echo(asking(answers), options)))
                    .build())
            .build()
            .start();
    return Serving.of(server::shutdownNow);
  }

  private static ServerCallStreamObserver<GrpcMessage> asking(StreamObserver<GrpcMessage> answers) {
    ServerCallStreamObserver<GrpcMessage> call = (ServerCallStreamObserver<GrpcMessage>) answers;
    call.disableAutoRequest();
    call.request(AHEAD);
    return call;
  }

  /** Takes one message after the other, each asked for anew. */
  private abstract static class Receiver implements StreamObserver<GrpcMessage> {
    final ServerCallStreamObserver<GrpcMessage> call;
    final ByteBuffer tensor;
    final FloatBuffer floats;

    Receiver(ServerCallStreamObserver<GrpcMessage> call, ByteBuffer tensor) {
      this.call = call;
      this.tensor = tensor.order(ByteOrder.nativeOrder());
      floats = tensor.asFloatBuffer();
    }

    abstract void take(GrpcMessage message);

    @Override
    public final void onNext(GrpcMessage message) {
      take(message);
      call.request(1);
    }

    @Override
    public void onError(Throwable failure) {}

    @Override
    public void onCompleted() {
      call.onCompleted();
    }
  }

  /** Puts tensors together from pieces. An empty message asks whether the last was right. */
  private static final class Stream extends Receiver {
    private long number;

    Stream(ServerCallStreamObserver<GrpcMessage> call, ChildOptions options) {
      super(call, ByteBuffer.allocateDirect(options.bytes));
    }

    @Override
    void take(GrpcMessage message) {
      if (message.size() == 0) {
        message.land(tensor);
        Payload.checkAll(floats.capacity(), number - 1, floats::get);
        call.onNext(GrpcMessage.empty());
        return;
      }
      if (!tensor.hasRemaining()) {
        tensor.clear();
      }
      message.land(tensor);
      if (!tensor.hasRemaining()) {
        Payload.checkMarks(floats.capacity(), number, floats::get);
        number++;
        call.onNext(GrpcMessage.empty());
      }
    }
  }

  private static final class Echo extends Receiver {
    private final byte[] bytes;
    private long number;

    Echo(ServerCallStreamObserver<GrpcMessage> call, ChildOptions options) {
      this(call, new byte[options.bytes]);
    }

    private Echo(ServerCallStreamObserver<GrpcMessage> call, byte[] bytes) {
      super(call, ByteBuffer.wrap(bytes));
      this.bytes = bytes;
    }

    @Override
    void take(GrpcMessage message) {
      message.land(tensor.clear());
      Payload.checkMarks(floats.capacity(), number++, floats::get);
      call.onNext(GrpcMessage.of(bytes, 0, bytes.length));
    }
  }
}
