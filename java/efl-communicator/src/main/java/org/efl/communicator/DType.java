package org.efl.communicator;

import java.util.HashMap;
import java.util.Map;

/** The type of a tensor's elements, with TensorFlow's {@code DataType} numbers. */
public enum DType {
  FLOAT(1, 4),
  DOUBLE(2, 8),
  INT32(3, 4),
  UINT8(4, 1),
  INT16(5, 2),
  INT8(6, 1),
  /** Elements of any length: the length of each as a varint, then the bytes of all. */
  STRING(7, 0),
  COMPLEX64(8, 8),
  INT64(9, 8),
  BOOL(10, 1),
  QINT8(11, 1),
  QUINT8(12, 1),
  QINT32(13, 4),
  BFLOAT16(14, 2),
  QINT16(15, 2),
  QUINT16(16, 2),
  UINT16(17, 2),
  COMPLEX128(18, 16),
  HALF(19, 2),
  UINT32(22, 4),
  UINT64(23, 8);

  private static final Map<Integer, DType> BY_NUMBER = new HashMap<>();

  static {
    for (DType dtype : values()) {
      BY_NUMBER.put(dtype.number, dtype);
    }
  }

  private final int number;
  private final int byteSize;

  DType(int number, int byteSize) {
    this.number = number;
    this.byteSize = byteSize;
  }

  /** TensorFlow's number. */
  public int number() {
    return number;
  }

  /** Bytes of one element; 0 for strings, whose elements differ. */
  public int byteSize() {
    return byteSize;
  }

  /**
   * The type with TensorFlow's number.
   *
   * @throws IllegalArgumentException when the communicator carries no such type
   */
  public static DType of(int number) {
    DType dtype = BY_NUMBER.get(number);
    if (dtype == null) {
      throw new IllegalArgumentException("No tensor type has the number " + number + ".");
    }
    return dtype;
  }
}
