package org.efl.communicator;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.efl.nativelib.Efl;

/**
 * What a thread tells the kernel of an operation, in native memory that each thread has once.
 * JavaCPP reads a file of /proc whenever it allocates some, which takes longer than a small tensor
 * does. The kernel has read it before it calls back or returns, so that an operation which is
 * started in a callback may use the same.
 */
final class Arguments {
  private static final ThreadLocal<Arguments> OF_THREAD = ThreadLocal.withInitial(Arguments::new);
  private static final int NAME_BYTES = 256;
  private static final int RANK = 8;

  private final Efl.efl_call call = new Efl.efl_call();
  private final Efl.efl_tensor tensor = new Efl.efl_tensor();
  private BytePointer name = new BytePointer(NAME_BYTES);
  private LongPointer dims = new LongPointer(RANK);

  private Arguments() {
    call.group(0).done(Callbacks.DONE);
    tensor.release(Callbacks.RELEASE);
  }

  static Arguments ofThread() {
    return OF_THREAD.get();
  }

  /** How an operation ends, but for its token; null: with the default timeout. */
  Efl.efl_call call(Duration timeout) {
    int milliseconds = timeout == null ? -1 : Milliseconds.of("timeout", timeout);
    return call.timeout_ms(milliseconds);
  }

  /** What is sent, but for the token under which the elements are lent. */
  Efl.efl_tensor tensor(String name, long step, DType dtype, long[] dims, ByteBuffer elements) {
    if (this.dims.capacity() < dims.length) {
      this.dims = new LongPointer(dims.length);
    }
    this.dims.put(dims);
    return tensor
        .name(text(name))
        .step(step)
        .dtype(dtype.number())
        .rank(dims.length)
        .dims(this.dims)
        .data(new Pointer(elements))
        .size(elements.remaining());
  }

  /** One text of an operation, NUL-terminated. */
  BytePointer text(String text) {
    Kernel.check(text);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (name.capacity() <= bytes.length) {
      name = new BytePointer(bytes.length + 1L);
    }
    return name.put(Arrays.copyOf(bytes, bytes.length + 1));
  }
}
