package org.efl.communicator;

import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;

/** Where the elements of a tensor go that arrives. */
interface Place {
  /**
   * A direct buffer of its own from 0 to its limit, which is the size.
   *
   * @throws IllegalArgumentException when there is no such place
   */
  ByteBuffer of(DType dtype, long size);

  /**
   * Memory of its own for each tensor. Not the kernel's pool: the collector finds what is forgotten
   * too late for it to be used again, and knows nothing of its size. Measured, that is slower.
   */
  static ByteBuffer fresh(DType dtype, long size) {
    if (size > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("a buffer can have " + Integer.MAX_VALUE);
    }
    // The kernel takes no address for a refusal, so an empty tensor gets one byte of room.
    return ByteBuffer.allocateDirect(Math.max((int) size, 1)).limit((int) size);
  }

  /** The buffer, from its position on. */
  static Place in(ByteBuffer buffer) {
    ByteBuffer room = buffer.slice();
    long address = new Pointer(room).address();
    return (dtype, size) -> {
      if (size > room.remaining()) {
        throw new IllegalArgumentException("the buffer has " + room.remaining());
      }
      if (address % Math.min(Math.max(dtype.byteSize(), 1), 8) != 0) {
        throw new IllegalArgumentException("the buffer's position isn't aligned for " + dtype);
      }
      return room.slice(0, (int) size);
    };
  }
}
