package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TString;

@Timeout(400)
class LeakTest {
  private static final int PER_RUN = 50;
  private static final int WARM_UP_RUNS = 500;
  private static final int RUNS = 2_000;

  /** 4 KiB each: a leak of one tensor in twenty would show as 20 MB. */
  private static final int ELEMENTS = 1024;

  private static final long ALLOWED_GROWTH = 16L << 20;

  /** In a JVM whose heap is all there from the start, so that only native memory can grow. */
  @Test
  void shouldKeepMemoryFlatOverAHundredThousandSendsAndReceives() throws Exception {
    Process child =
        ChildJvm.start(Exchange.class, List.of("-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch"));
    try {
      assertTrue(child.waitFor(300, TimeUnit.SECONDS));
      assertEquals(0, child.exitValue());
    } finally {
      child.destroyForcibly();
    }
  }

  /** Exits with 1 when memory has grown. */
  static final class Exchange {
    private Exchange() {}

    public static void main(String[] args) throws Exception {
      long growth = measure();
      System.out.println("Resident memory grew by " + (growth >> 10) + " KiB.");
      System.exit(growth < ALLOWED_GROWTH ? 0 : 1);
    }
  }

  private static long measure() throws Exception {
    try (Pair pair = Pair.open()) {
      Op[] sends = new Op[PER_RUN];
      Op[] receives = new Op[PER_RUN];
      for (int i = 0; i < PER_RUN; i++) {
        boolean text = i % 10 == 0;
        sends[i] = pair.leader.send("t" + i, tensor(pair.leader.tf, text));
        Communicator c = pair.follower.communicator;
        receives[i] =
            text
                ? c.recv(pair.follower.tf, "t" + i, TString.class)
                : c.recv(pair.follower.tf, "t" + i, TFloat32.class);
      }
      pair.connect();
      exchange(pair, sends, receives, WARM_UP_RUNS);
      long before = residentBytes();
      exchange(pair, sends, receives, RUNS);
      return residentBytes() - before;
    }
  }

  private static Operand<?> tensor(Ops tf, boolean text) {
    return text
        ? tf.constant("x".repeat(4 * ELEMENTS))
        : tf.random.randomUniform(tf.constant(new int[] {ELEMENTS}), TFloat32.class);
  }

  private static void exchange(Pair pair, Op[] sends, Op[] receives, int runs) throws Exception {
    Future<?> sending =
        pair.start(
            () -> {
              for (int i = 0; i < runs; i++) {
                pair.leader.run(sends);
              }
              return null;
            });
    for (int i = 0; i < runs; i++) {
      pair.follower.run(receives);
    }
    sending.get();
  }

  /** After a collection, which gives back the native memory of forgotten objects. */
  private static long residentBytes() throws IOException {
    System.gc();
    String status = Files.readString(Path.of("/proc/self/status"));
    String kib = status.replaceAll("(?s).*VmRSS:\\s+(\\d+) kB.*", "$1");
    return Long.parseLong(kib) << 10;
  }
}
