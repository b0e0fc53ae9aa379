package org.efl.examples.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The files that fuzz tests write again and again, and what they take from the input for them. */
final class FuzzFiles {
  private FuzzFiles() {}

  /** A file to write, in a folder of its own that goes when the process ends. */
  static Path create(String name) {
    Path file = folder().resolve(name);
    file.toFile().deleteOnExit();
    return file;
  }

  /** A folder that goes when the process ends, if what is in it does. */
  static Path folder() {
    try {
      Path folder = Files.createTempDirectory("efl-fuzz");
      folder.toFile().deleteOnExit();
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a file of these records. */
  static void write(Path file, List<byte[]> records) throws IOException {
    try (TfRecordWriter writer = new TfRecordWriter(file)) {
      for (byte[] record : records) {
        writer.write(record);
      }
    }
  }

  /** The next byte, 0 after the end. */
  static int unsignedByte(ByteBuffer in) {
    return in.hasRemaining() ? in.get() & 0xff : 0;
  }

  /** As many of the next bytes as there are, up to {@code most}. */
  static byte[] bytes(ByteBuffer in, int most) {
    byte[] bytes = new byte[Math.min(most, in.remaining())];
    in.get(bytes);
    return bytes;
  }
}
