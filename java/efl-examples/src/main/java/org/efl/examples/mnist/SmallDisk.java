package org.efl.examples.mnist;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/** A small disk for the checkpoints of processes, which is full for moments. */
final class SmallDisk {
  /** A larger one has other things on it, which would suffer too. */
  static final long LARGEST = 1L << 30;

  private static final int BLOCK = 1 << 16;
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private final Path folder;
  private final Path filler;

  /**
   * One of at most {@link #LARGEST} bytes.
   *
   * @throws IllegalArgumentException when it is larger
   */
  SmallDisk(Path folder) throws IOException {
    this(folder, LARGEST);
  }

  /**
   * Looks at it, and makes room on it.
   *
   * @param largest in bytes
   * @throws IllegalArgumentException when it is larger
   */
  SmallDisk(Path folder, long largest) throws IOException {
    long size = Files.getFileStore(folder).getTotalSpace();
    if (size > largest) {
      throw new IllegalArgumentException(
          "expected a disk of at most "
              + largest
              + " bytes, as it is filled up; "
              + folder
              + " is on one of "
              + size
              + ": mount one there, such as mount -t tmpfs -o size=32m tmpfs "
              + folder);
    }
    this.folder = folder;
    filler = folder.resolve("filler");
    clear();
  }

  Path folder() {
    return folder;
  }

  /** Leaves no room for a byte, until {@link #clear}. Again when somebody has made some. */
  void fill() throws IOException {
    if (left() == 0) {
      return;
    }
    long end = System.nanoTime() + LIMIT.toNanos();
    try (FileChannel file =
        FileChannel.open(filler, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      for (long left = left(); left > 0; left = left()) {
        try {
          file.write(ByteBuffer.allocate((int) Math.min(left, BLOCK)));
        } catch (IOException e) {
          // Somebody may have taken the room, or have given some back since.
          if (System.nanoTime() > end) {
            throw e;
          }
        }
      }
    }
  }

  final void clear() throws IOException {
    Files.deleteIfExists(filler);
  }

  private long left() throws IOException {
    return Files.getFileStore(folder).getUsableSpace();
  }
}
