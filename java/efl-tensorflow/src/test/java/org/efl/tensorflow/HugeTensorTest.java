package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TInt64;

/** A tensor of more than 2 GiB, which no message of gRPC and no buffer of Java could hold. */
@Timeout(300)
class HugeTensorTest {
  private static final long ELEMENTS = (2L << 30) / Long.BYTES + 1000;
  private static final long NEEDED_BYTES = 6L << 30;

  @Test
  void shouldCrossFromOpToOp() throws Exception {
    assumeTrue(availableBytes() > NEEDED_BYTES, "not enough memory");
    long[] places = {0, 1, (1L << 28) - 1, 1L << 28, ELEMENTS - 1};
    try (Pair pair = Pair.open()) {
      Ops tf = pair.leader.tf;
      // Fed, because TensorFlow would compute a constant range ahead of the run and then again.
      Operand<TInt64> limit = tf.placeholder(TInt64.class, Placeholder.shape(Shape.scalar()));
      Op send = pair.leader.send("t", tf.range(tf.constant(0L), limit, tf.constant(1L)));
      Ops their = pair.follower.tf;
      Operand<TInt64> t = pair.follower.communicator.recv(their, "t", TInt64.class);
      Operand<TInt64> some = their.gather(t, their.constant(places), their.constant(0));
      Operand<TInt64> size = their.size(t, TInt64.class);
      pair.connect();
      try (Result result =
          pair.both(() -> run(pair.leader, send, limit), () -> pair.follower.fetch(some, size))) {
        assertEquals(ELEMENTS, ((TInt64) result.get(1)).getLong());
        for (int i = 0; i < places.length; i++) {
          assertEquals(places[i], ((TInt64) result.get(0)).getLong(i));
        }
      }
    }
  }

  private static Void run(Party party, Op send, Operand<TInt64> limit) {
    try (TInt64 fed = TInt64.scalarOf(ELEMENTS)) {
      party.session().runner().feed(limit, fed).addTarget(send).run().close();
      return null;
    }
  }

  private static long availableBytes() throws IOException {
    String memory = Files.readString(Path.of("/proc/meminfo"));
    return Long.parseLong(memory.replaceAll("(?s).*MemAvailable:\\s+(\\d+) kB.*", "$1")) << 10;
  }
}
