package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.Future;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tensorflow.Result;
import org.tensorflow.op.Op;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.TString;

@Timeout(60)
class ReaderAndCheckpointOpsTest {

  @Test
  void shouldHandOverTheReaderState() {
    try (Pair pair = Pair.open()) {
      Party leader = pair.leader;
      Op send =
          leader.communicator.sendReaderState(
              leader.tf, "train", leader.tf.constant("data_3.tfrd"), leader.tf.constant(768L));
      ReaderStateOperands state =
          pair.follower.communicator.recvReaderState(pair.follower.tf, "train");
      pair.connect();
      try (Result result =
          pair.both(
              () -> leader.run(send),
              () -> pair.follower.fetch(state.blockId(), state.sampleIndex()))) {
        assertEquals("data_3.tfrd", ((TString) result.get(0)).getObject());
        assertEquals(768L, ((TInt64) result.get(1)).getLong());
      }
    }
  }

  @Test
  void shouldEndTheReaderWithOutOfRange() {
    try (Pair pair = Pair.open()) {
      Op terminate = pair.leader.communicator.terminateReader(pair.leader.tf, "train");
      ReaderStateOperands state =
          pair.follower.communicator.recvReaderState(pair.follower.tf, "train");
      pair.connect();
      Future<?> asking =
          pair.start(() -> pair.follower.fetch(state.blockId(), state.sampleIndex()));
      Pair.await(pair.start(() -> pair.leader.run(terminate)));
      CommunicatorException e = Pair.failure(asking);
      assertEquals(Code.OUT_OF_RANGE, e.code());
      assertEquals("receive reader state", e.operation());
      assertEquals("train", e.name());
      assertTrue(TrainingSession.isEndOfData(e));
    }
  }

  @Test
  void shouldRefuseABlockIdThatIsNoScalar() {
    try (Pair pair = Pair.open()) {
      Party leader = pair.leader;
      var blocks = leader.tf.placeholder(TString.class);
      Op send =
          leader.communicator.sendReaderState(leader.tf, "train", blocks, leader.tf.constant(0L));
      pair.connect();
      try (TString two = TString.vectorOf("a", "b")) {
        CommunicatorException e =
            Pair.failure(
                pair.start(
                    () -> {
                      try {
                        return leader.session().runner().feed(blocks, two).addTarget(send).run();
                      } catch (RuntimeException failure) {
                        throw Communicator.translate(failure);
                      }
                    }));
        assertEquals(Code.INVALID_ARGUMENT, e.code());
        assertEquals("send reader state", e.operation());
      }
    }
  }

  @Test
  void shouldHandOverTheCheckpointVersion() {
    try (Pair pair = Pair.open().connect()) {
      for (String version : new String[] {"1200", "", "1300"}) {
        String received =
            pair.both(
                () -> {
                  pair.leader.communicator.sendCkptVersion(pair.leader.session(), version);
                  return null;
                },
                () -> pair.follower.communicator.recvCkptVersion(pair.follower.session()));
        assertEquals(version, received);
      }
    }
  }

  @Test
  void shouldCountSteps() {
    try (Pair pair = Pair.open()) {
      Party party = pair.leader;
      Op addStep = party.communicator.addStep(party.tf);
      pair.connect();
      assertEquals(0, party.communicator.step());
      party.run(addStep);
      party.run(addStep);
      assertEquals(2, party.communicator.step());
      assertEquals(0, pair.follower.communicator.step());
    }
  }
}
