package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.concurrent.Future;
import org.efl.communicator.Code;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** Ops that run on the communicator's own threads, which then mustn't be waited for. */
@Timeout(120)
class SessionConfigsTest {
  private static final int STEPS = 50;

  /** There, back, and there again within one run of each party. */
  @Test
  void shouldAnswerFromWhereATensorArrives() {
    try (Pair pair = Pair.open(c -> c.clientThreadNum(1).serverThreadNum(1))) {
      Ops leading = pair.leader.tf;
      Operand<TFloat32> asked = pair.leader.communicator.recv(leading, "a");
      Op answer = pair.leader.send("b", leading.math.add(asked, leading.constant(1f)));
      Operand<TFloat32> last =
          pair.leader.communicator.recv(
              leading.withControlDependencies(List.of(answer)), "c", TFloat32.class);

      Ops following = pair.follower.tf;
      Operand<TFloat32> fed = following.placeholder(TFloat32.class);
      Op question = pair.follower.send("a", fed);
      Operand<TFloat32> answered =
          pair.follower.communicator.recv(
              following.withControlDependencies(List.of(question)), "b", TFloat32.class);
      Op thanks = pair.follower.send("c", following.math.mul(answered, following.constant(10f)));

      pair.connect(SessionConfigs.lowLatency());
      for (int step = 0; step < STEPS; step++) {
        try (TFloat32 value = TFloat32.scalarOf(step);
            Result got =
                pair.both(
                    () -> pair.follower.session().runner().feed(fed, value).addTarget(thanks).run(),
                    () -> pair.leader.fetch(last))) {
          assertEquals(10f * (step + 1), ((TFloat32) got.get(0)).getFloat());
        }
      }
    }
  }

  @Test
  void shouldEndARunThatWaitsWhenTheCommunicatorCloses() throws Exception {
    try (Pair pair = Pair.open()) {
      Operand<TFloat32> never = pair.leader.communicator.recv(pair.leader.tf, "never");
      pair.connect(SessionConfigs.lowLatency());
      Future<Result> waiting = pair.start(() -> pair.leader.fetch(never));
      Pair.until(() -> pair.leader.communicator.pending() == 1);
      pair.leader.communicator.close();
      assertEquals(Code.CANCELLED, Pair.failure(waiting).code());
    }
  }
}
