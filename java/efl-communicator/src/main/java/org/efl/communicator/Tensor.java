package org.efl.communicator;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A tensor that was received.
 *
 * @param dtype the type of its elements
 * @param dims its dimensions, outermost first; empty for a scalar
 * @param data its elements, row-major: a direct buffer in native byte order, from 0 to its limit.
 *     Strings: the length of each as a varint, then the bytes of all.
 */
@SuppressWarnings(
    "ArrayRecordComponent") // dims are the primitive array that TensorFlow's shapes take
public record Tensor(DType dtype, long[] dims, ByteBuffer data) {
  @Override
  public boolean equals(Object other) {
    return other instanceof Tensor that
        && dtype == that.dtype
        && Arrays.equals(dims, that.dims)
        && data.equals(that.data);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * dtype.hashCode() + Arrays.hashCode(dims)) + data.hashCode();
  }

  /** Type, dimensions and size; never the elements. */
  @Override
  public String toString() {
    return "Tensor[" + dtype + " " + Arrays.toString(dims) + ", " + data.limit() + " bytes]";
  }
}
