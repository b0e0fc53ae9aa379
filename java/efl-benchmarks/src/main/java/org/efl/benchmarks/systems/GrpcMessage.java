package org.efl.benchmarks.systems;

import io.grpc.Detachable;
import io.grpc.Drainable;
import io.grpc.HasByteBuffer;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;

/**
 * Bytes as a message. What is sent goes from its array into the transport's buffer; what arrives
 * stays in the transport's buffers until it is put in its place: one copy at each end.
 */
final class GrpcMessage {
  /** Tensors in pieces; answered by an empty message for each, and by a verdict. */
  static final MethodDescriptor<GrpcMessage, GrpcMessage> STREAM = method("Stream");

  /** One message for a tensor; answered with itself. */
  static final MethodDescriptor<GrpcMessage, GrpcMessage> ECHO = method("Echo");

  private final InputStream bytes;

  private GrpcMessage(InputStream bytes) {
    this.bytes = bytes;
  }

  static GrpcMessage of(byte[] array, int from, int length) {
    return new GrpcMessage(new ArrayStream(array, from, length));
  }

  static GrpcMessage empty() {
    return of(new byte[0], 0, 0);
  }

  int size() {
    try {
      return bytes.available();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Puts the bytes where the target's position is, and lets go of the transport's buffers. */
  void land(ByteBuffer target) {
    try (bytes) {
      while (bytes.available() > 0) {
        if (bytes instanceof HasByteBuffer direct && direct.byteBufferSupported()) {
          ByteBuffer piece = direct.getByteBuffer();
          int length = piece.remaining();
          target.put(piece);
          bytes.skipNBytes(length);
        } else {
          byte[] all = bytes.readAllBytes();
          target.put(all);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static MethodDescriptor<GrpcMessage, GrpcMessage> method(String name) {
    return MethodDescriptor.<GrpcMessage, GrpcMessage>newBuilder()
        .setType(MethodType.BIDI_STREAMING)
        .setFullMethodName(MethodDescriptor.generateFullMethodName("efl.Benchmark", name))
        .setRequestMarshaller(new Marshaller())
        .setResponseMarshaller(new Marshaller())
        .build();
  }

  private static final class Marshaller implements MethodDescriptor.Marshaller<GrpcMessage> {
    @Override
    public InputStream stream(GrpcMessage message) {
      return message.bytes;
    }

    @Override
    public GrpcMessage parse(InputStream stream) {
      return new GrpcMessage(stream instanceof Detachable kept ? kept.detach() : stream);
    }
  }

  /** An array that writes itself. */
  private static final class ArrayStream extends ByteArrayInputStream
      implements Drainable, KnownLength {
    ArrayStream(byte[] array, int from, int length) {
      super(array, from, length);
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      int length = available();
      target.write(buf, pos, length);
      pos = count;
      return length;
    }
  }
}
