package org.efl.benchmarks.systems;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** A tensor in an array, which is what gRPC sends with one copy. */
final class ArrayTensor {
  private final byte[] bytes;
  private final FloatBuffer floats;

  ArrayTensor(ChildOptions options) {
    bytes = new byte[options.bytes];
    floats = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer();
    Payload.fill(floats.capacity(), floats::put);
  }

  void mark(long tensor) {
    Payload.mark(floats.capacity(), tensor, floats::put);
  }

  /** The whole of it. */
  GrpcMessage message() {
    return GrpcMessage.of(bytes, 0, bytes.length);
  }

  GrpcMessage message(int from, int most) {
    return GrpcMessage.of(bytes, from, Math.min(most, bytes.length - from));
  }
}
