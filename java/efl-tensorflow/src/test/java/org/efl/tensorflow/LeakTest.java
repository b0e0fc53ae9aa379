package org.efl.tensorflow;

import java.util.concurrent.Future;
import org.efl.communicator.SendCompletion;
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
  private static final int ROUNDS = 5;
  private static final int RUNS_OF_A_ROUND = 400;

  /** 4 KiB each: a leak of one tensor in twenty would show as 4 MB a round. */
  private static final int ELEMENTS = 1024;

  private static final long ALLOWED_GROWTH = 3L << 20;

  @Test
  void shouldKeepMemoryFlatOverAHundredThousandSendsAndReceives() throws Exception {
    ChildJvm.runWithFixedHeap(Exchange.class, 300);
  }

  /** Exits with 1 when memory has grown. */
  static final class Exchange {
    private Exchange() {}

    public static void main(String[] args) throws Exception {
      System.exit(measure() < ALLOWED_GROWTH ? 0 : 1);
    }
  }

  private static long measure() throws Exception {
    // Accepted ones would wait for the receives in memory, now fewer, now more.
    try (Pair pair = Pair.open(c -> c.sendCompletion(SendCompletion.CONSUMED))) {
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
      return ResidentMemory.growthOfARound(
          ROUNDS, () -> exchange(pair, sends, receives, RUNS_OF_A_ROUND));
    }
  }

  private static Operand<?> tensor(Ops tf, boolean text) {
    return text
        ? tf.constant("x".repeat(4 * ELEMENTS))
        : tf.random.randomUniform(tf.constant(new int[] {ELEMENTS}), TFloat32.class);
  }

  private static Void exchange(Pair pair, Op[] sends, Op[] receives, int runs) throws Exception {
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
    return null;
  }
}
