package org.efl.communicator;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/** Contents of tensors, in direct buffers and native order. */
public final class Elements {
  private Elements() {}

  static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  static ByteBuffer direct(byte[] bytes) {
    return direct(bytes.length).put(bytes).flip();
  }

  public static ByteBuffer floats(float... values) {
    ByteBuffer data = direct(4 * values.length);
    data.asFloatBuffer().put(values);
    return data;
  }

  static ByteBuffer random(int bytes, long seed) {
    byte[] content = new byte[bytes];
    new Random(seed).nextBytes(content);
    return direct(content);
  }

  /** Strings as the wire has them: the length of each as a varint, then the bytes of all. */
  static ByteBuffer strings(String... values) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      CodedOutputStream out = CodedOutputStream.newInstance(bytes);
      for (String value : values) {
        out.writeUInt32NoTag(ByteString.copyFromUtf8(value).size());
      }
      for (String value : values) {
        out.writeRawBytes(ByteString.copyFromUtf8(value));
      }
      out.flush();
      return direct(bytes.toByteArray());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  public static ByteString bytes(ByteBuffer data) {
    return ByteString.copyFrom(data.duplicate());
  }
}
