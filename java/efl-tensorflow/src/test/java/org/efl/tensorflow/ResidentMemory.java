package org.efl.tensorflow;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;

/** What this process holds of the machine's memory. */
final class ResidentMemory {
  private ResidentMemory() {}

  /** In bytes, after a collection, which gives back the native memory of forgotten objects. */
  static long now() throws IOException {
    System.gc();
    return read("VmRSS");
  }

  /** A field of /proc/self/status, in bytes. */
  static long read(String field) throws IOException {
    String status = Files.readString(Path.of("/proc/self/status"));
    return Long.parseLong(status.replaceAll("(?s).*" + field + ":\\s+(\\d+) kB.*", "$1")) << 10;
  }

  /**
   * By how many bytes a round makes it grow: the median. What leaks grows in each of them; what an
   * allocator or a compiler comes to keep for the next time grows in one.
   */
  static long growthOfARound(int rounds, Callable<?> round) throws Exception {
    long[] growths = new long[rounds];
    long before = now();
    for (int i = 0; i < rounds; i++) {
      round.call();
      long after = now();
      growths[i] = after - before;
      before = after;
      System.out.println("Resident memory grew by " + (growths[i] >> 10) + " KiB.");
    }
    return LongStream.of(growths).sorted().toArray()[rounds / 2];
  }
}
