package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.op.Op;
import org.tensorflow.proto.ConfigProto;
import org.tensorflow.types.TInt32;

@Timeout(120)
class ManyReceivesTest {
  private static final int COUNT = 200;
  private static final int GROUP = 20;

  /** A receive that held its thread would leave none for the next, nor for anything else. */
  @Test
  void shouldWaitWithoutHoldingAThread() throws Exception {
    ConfigProto oneThread =
        ConfigProto.newBuilder()
            .setInterOpParallelismThreads(1)
            .setIntraOpParallelismThreads(1)
            .setUsePerSessionThreads(true)
            .build();
    try (Pair pair = Pair.open(c -> c.clientThreadNum(1).serverThreadNum(1))) {
      List<Op> sends = new ArrayList<>();
      Operand<?>[] receives = new Operand<?>[COUNT];
      for (int i = 0; i < COUNT; i++) {
        sends.add(pair.leader.send("t" + i, pair.leader.tf.constant(i)));
        receives[i] = pair.follower.communicator.recv(pair.follower.tf, "t" + i, TInt32.class);
      }
      pair.connect(oneThread);
      Future<Result> receiving = pair.start(() -> pair.follower.fetch(receives));
      Pair.until(() -> pair.follower.communicator.pending() == COUNT);
      // The last first, so that the early ones wait longest.
      for (int end = COUNT; end > 0; end -= GROUP) {
        Op[] group = sends.subList(end - GROUP, end).toArray(Op[]::new);
        Pair.await(pair.start(() -> pair.leader.run(group)));
      }
      try (Result result = Pair.await(receiving)) {
        for (int i = 0; i < COUNT; i++) {
          assertEquals(i, ((TInt32) result.get(i)).getInt());
        }
      }
    }
  }
}
