package org.efl.communicator;

import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.efl.nativelib.Efl;
import org.efl.nativelib.Natives;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The native kernel, loaded on first use, and its log lines on their way to SLF4J. */
final class Kernel {
  private static final Logger LOG = LoggerFactory.getLogger("org.efl.kernel");

  private Kernel() {}

  /**
   * Returns when the kernel can be called.
   *
   * @throws UnsatisfiedLinkError when it can't be loaded, each time with the same text
   */
  static void load() {
    Natives.load();
    Log.set();
  }

  /** The kernel's text, "" for none. */
  static String text(BytePointer text) {
    return text == null || text.isNull() ? "" : text.getString(StandardCharsets.UTF_8);
  }

  /** The kernel's text of this many bytes, NULs and all. */
  static String text(BytePointer text, long size) {
    if (text == null || text.isNull()) {
      return "";
    }
    byte[] bytes = new byte[Math.toIntExact(size)];
    text.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** A text for the kernel, NUL-terminated; to be closed by the caller. */
  static BytePointer text(String text) {
    check(text);
    return new BytePointer(text, StandardCharsets.UTF_8);
  }

  /** A text goes to the kernel without its length. */
  static void check(String text) {
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("A text with a NUL character: '" + text + "'.");
    }
  }

  private static int lowestLevel() {
    if (LOG.isDebugEnabled()) {
      return Efl.EFL_LOG_DEBUG;
    }
    if (LOG.isInfoEnabled()) {
      return Efl.EFL_LOG_INFO;
    }
    return LOG.isWarnEnabled() ? Efl.EFL_LOG_WARNING : Efl.EFL_LOG_ERROR;
  }

  /** Set once, by the first entry. */
  private static final class Log {
    private static final LogLines LINES = new LogLines();

    static {
      Efl.efl_log_set(LINES, null, lowestLevel());
    }

    static void set() {
      // Entering this method has run the static initialiser.
    }
  }

  private static final class LogLines extends Efl.efl_log_fn {
    @Override
    public void call(Pointer token, int level, BytePointer message) {
      try {
        String line = text(message);
        switch (level) {
          case Efl.EFL_LOG_DEBUG -> LOG.debug(line);
          case Efl.EFL_LOG_INFO -> LOG.info(line);
          case Efl.EFL_LOG_WARNING -> LOG.warn(line);
          default -> LOG.error(line);
        }
      } catch (Throwable e) {
        Callbacks.uncaught(e);
      }
    }
  }
}
