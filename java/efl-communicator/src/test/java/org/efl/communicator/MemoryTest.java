package org.efl.communicator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Native memory over 100,000 sends and as many receives, in a process of its own. */
@Timeout(300)
class MemoryTest {
  /** Exchanges tensors of 16 KiB, which would leave 1.6 GB if each were kept anywhere. */
  static final class Exchange {
    private static final int WARM_UP = 20_000;
    private static final int EXCHANGES = 100_000;
    private static final int AT_ONCE = 50;
    private static final int BYTES = 16 << 10;

    private static final long ALLOWED_RESIDENT_GROWTH = 64L << 20;
    private static final long ALLOWED_POINTER_GROWTH = 1L << 20;

    public static void main(String[] arguments) throws Exception {
      try (Pair pair = Pair.connected()) {
        pair.leader.registerTensor("t", DType.UINT8, -1);
        exchange(pair, WARM_UP);
        long resident = residentBytes();
        long pointers = Pointer.totalBytes();

        exchange(pair, EXCHANGES);

        long residentGrowth = residentBytes() - resident;
        long pointerGrowth = Pointer.totalBytes() - pointers;
        System.out.println(
            "resident "
                + resident
                + " + "
                + residentGrowth
                + ", pointers "
                + pointers
                + " + "
                + pointerGrowth);
        if (residentGrowth > ALLOWED_RESIDENT_GROWTH || pointerGrowth > ALLOWED_POINTER_GROWTH) {
          System.exit(3);
        }
      }
    }

    private static void exchange(Pair pair, int times) throws Exception {
      ByteBuffer data = Elements.random(BYTES, 1);
      for (int step = 0; step < times; step += AT_ONCE) {
        List<CompletableFuture<?>> ends = new ArrayList<>();
        for (int i = 0; i < AT_ONCE; i++) {
          ends.add(pair.leader.receive("t", step + i));
          ends.add(pair.follower.send("t", step + i, DType.UINT8, new long[] {BYTES}, data));
        }
        CompletableFuture.allOf(ends.toArray(new CompletableFuture<?>[0]))
            .get(60, TimeUnit.SECONDS);
      }
      System.gc();
    }

    private static long residentBytes() throws IOException {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmRSS:")) {
          return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
        }
      }
      throw new IOException("/proc/self/status has no VmRSS.");
    }

    private Exchange() {}
  }

  @Test
  void shouldStayFlatOverAHundredThousandExchanges() throws Exception {
    ChildJvm.Outcome outcome = ChildJvm.run(Exchange.class, Map.of(), 240);

    assertEquals(0, outcome.exit(), outcome.output());
    // Of -Xcheck:jni: a callback that leaves local references behind on a thread of the kernel.
    assertFalse(outcome.output().contains("JNI local refs"), outcome.output());
    System.out.println(outcome.output());
  }
}
