package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.Wire;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.types.TFloat32;

/** What a communicator's limits hold back. */
@Timeout(60)
class LimitsTest {

  @Test
  void shouldRefuseWhatTheMailboxCannotHold() {
    try (Pair pair = Pair.open(party -> party.wire(Wire.TRAINER).mailboxBytes(100_000))) {
      Operand<TFloat32> receive = pair.leader.communicator.recv(pair.leader.tf, "t");
      Op send =
          pair.follower.send(
              "t", pair.follower.tf.zeros(pair.follower.tf.array(30_000), TFloat32.class));
      pair.connect();
      CommunicatorException refused = Pair.failure(pair.start(() -> pair.follower.run(send)));
      assertEquals(Code.RESOURCE_EXHAUSTED, refused.code());
      assertTrue(
          refused.reason().contains("mailbox_bytes (EFL_MAILBOX_BYTES) = 100000"),
          refused.reason());
      // What waits for it takes it, however large it is.
      pair.both(
          () -> {
            pair.leader.fetch(receive).close();
            return null;
          },
          () -> {
            while (!taken(pair, send)) {
              Thread.sleep(10);
            }
            return null;
          });
    }
  }

  /** Not until the receive waits. */
  private static boolean taken(Pair pair, Op send) throws Exception {
    try {
      pair.follower.run(send);
      return true;
    } catch (CommunicatorException e) {
      assertEquals(Code.RESOURCE_EXHAUSTED, e.code());
      return false;
    }
  }
}
