package org.efl.communicator;

import com.google.protobuf.ByteString;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Keeps the bytes of each request, by method, as they came over the wire. */
final class RequestRecorder implements ServerInterceptor {
  /** Messages as bytes. */
  static final MethodDescriptor.Marshaller<ByteString> RAW =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(ByteString value) {
          return value.newInput();
        }

        @Override
        public ByteString parse(InputStream stream) {
          try {
            return ByteString.readFrom(stream);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };

  /** One request. */
  record Recorded(String method, ByteString bytes) {}

  private final BlockingQueue<Recorded> requests = new LinkedBlockingQueue<>();

  /** The next request of this method, skipping the others. */
  ByteString next(String method) throws InterruptedException {
    while (true) {
      Recorded recorded = requests.poll(20, TimeUnit.SECONDS);
      if (recorded == null) {
        throw new AssertionError("No request of " + method + " came.");
      }
      if (recorded.method().equals(method)) {
        return recorded.bytes();
      }
    }
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    String method = call.getMethodDescriptor().getBareMethodName();
    return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
      @Override
      @SuppressWarnings("unchecked") // below useInputStreamMessages a request is an InputStream
      public void onMessage(Q message) {
        ByteString bytes = RAW.parse((InputStream) message);
        requests.add(new Recorded(method, bytes));
        super.onMessage((Q) bytes.newInput());
      }
    };
  }
}
