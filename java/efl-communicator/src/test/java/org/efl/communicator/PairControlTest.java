package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Reader states, checkpoint versions, steps and timeouts between two kernels. */
@Timeout(60)
class PairControlTest {
  private static final Duration SOON = Duration.ofMillis(200);

  private Pair pair;

  @BeforeEach
  void connect() throws Exception {
    // So that a send can be overdue.
    pair = Pair.consuming();
    pair.leader.registerDataset("train");
    pair.follower.registerDataset("train");
  }

  @AfterEach
  void close() {
    pair.close();
  }

  @Test
  void shouldCarryReaderStatesInOrder() throws Exception {
    for (int i = 0; i < 10; i++) {
      var asked = pair.follower.receiveReaderState("train");
      value(pair.leader.sendReaderState("train", new ReaderState("data_" + i, i)));
      assertEquals(new ReaderState("data_" + i, i), value(asked));
    }
  }

  @Test
  void shouldEndTheReaderAtTheFollower() throws Exception {
    var asked = pair.follower.receiveReaderState("train");

    value(pair.leader.terminateReader("train"));

    assertMentions(
        failure(Code.OUT_OF_RANGE, asked), "OUT_OF_RANGE: receive reader state 'train', peer");
  }

  @Test
  void shouldCarryTheCheckpointVersion() throws Exception {
    var asked = pair.follower.receiveCheckpointVersion();
    value(pair.leader.sendCheckpointVersion("1200"));
    assertEquals("1200", value(asked));

    asked = pair.follower.receiveCheckpointVersion();
    value(pair.leader.sendCheckpointVersion(""));
    assertEquals("", value(asked));
  }

  @Test
  void shouldCountStepsFromZero() {
    assertEquals(0, pair.leader.step());
    assertEquals(1, pair.leader.addStep());
    assertEquals(2, pair.leader.addStep());
    assertEquals(2, pair.leader.step());
    assertEquals(0, pair.follower.step());

    pair.leader.resetStep();

    assertEquals(0, pair.leader.step());
  }

  @Test
  void shouldNameWhatTimedOut() {
    pair.leader.registerTensor("fc1", DType.FLOAT, -1);

    CommunicatorException late =
        failure(Code.DEADLINE_EXCEEDED, pair.leader.receive("fc1", 3, SOON));

    assertEquals("receive tensor", late.operation());
    assertEquals("fc1", late.name());
    assertEquals(3, late.step());
    assertEquals("localhost:" + pair.followerNode.port(), late.peer());
    assertMentions(late, "DEADLINE_EXCEEDED: receive tensor 'fc1' step 3, peer localhost:");
  }

  @Test
  void shouldEndEveryOperationAtItsTimeout() {
    pair.leader.registerTensor("t", DType.FLOAT, -1);

    failure(
        Code.DEADLINE_EXCEEDED,
        pair.follower.send("t", 0, DType.FLOAT, new long[] {1}, Elements.floats(1), SOON));
    failure(
        Code.DEADLINE_EXCEEDED,
        pair.leader.sendReaderState("train", new ReaderState("b", 0), SOON));
    failure(Code.DEADLINE_EXCEEDED, pair.leader.terminateReader("train", SOON));
    failure(Code.DEADLINE_EXCEEDED, pair.leader.sendCheckpointVersion("1", SOON));
    // Questions last: the leader may answer one that the follower has just given up.
    failure(Code.DEADLINE_EXCEEDED, pair.follower.receiveReaderState("train", SOON));
    failure(Code.DEADLINE_EXCEEDED, pair.follower.receiveCheckpointVersion(SOON));
    assertEquals(0, pair.leader.pending());
    assertEquals(0, pair.follower.pending());
  }

  /** The tensor may have arrived before the news; the receive doesn't wait for nothing. */
  @Test
  void shouldEndTheReceiveOfATensorWhoseSenderHasGivenUp() throws Exception {
    pair.leader.registerTensor("t", DType.FLOAT, -1);
    ByteBuffer data = Elements.floats(1);
    failure(
        Code.DEADLINE_EXCEEDED,
        pair.follower.send("t", 0, DType.FLOAT, new long[] {1}, data, SOON));

    value(
        pair.leader
            .receive("t", 0)
            .handle(
                (tensor, failure) -> {
                  if (failure == null) {
                    assertEquals(data, tensor.data());
                  } else {
                    CommunicatorException told =
                        assertInstanceOf(CommunicatorException.class, failure);
                    assertMentions(told, "DEADLINE_EXCEEDED: receive tensor 't' step 0");
                    assertFalse(told.reason().contains("has not sent it"), told.reason());
                  }
                  return null;
                }));
  }

  @Test
  void shouldGoOnAfterATimeout() throws Exception {
    pair.leader.registerTensor("t", DType.FLOAT, -1);
    failure(Code.DEADLINE_EXCEEDED, pair.leader.receive("t", 0, SOON));

    var received = pair.leader.receive("t", 1);
    value(pair.follower.send("t", 1, DType.FLOAT, new long[] {1}, Elements.floats(6)));

    assertEquals(Elements.floats(6), value(received).data());
  }
}
