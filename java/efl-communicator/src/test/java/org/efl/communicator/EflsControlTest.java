package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.google.protobuf.ByteString;
import org.efl.proto.GetCheckpointVersionResponse;
import org.efl.proto.GetReaderStateRequest;
import org.efl.proto.GetReaderStateResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Reader states and checkpoint versions with an EFLS party: the leader answers, the follower asks.
 */
@Timeout(60)
class EflsControlTest {
  @Test
  void shouldAnswerTheReaderStateThatWasPostedBefore() throws Exception {
    try (MixedPair pair = MixedPair.connected(Role.LEADER)) {
      pair.peer.registerDataset("train");
      var sent = pair.peer.sendReaderState("train", new ReaderState("part/data_3.tfrd", 1L << 40));
      assertFalse(sent.isDone());

      GetReaderStateResponse answer = value(pair.efls.readerState("train"));

      assertEquals(
          GetReaderStateResponse.newBuilder()
              .setBlockId("part/data_3.tfrd")
              .setOffset(1L << 40)
              .build()
              .toByteString(),
          answer.toByteString());
      value(sent);
    }
  }

  @Test
  void shouldLetTheQuestionForAReaderStateWait() throws Exception {
    try (MixedPair pair = MixedPair.connected(Role.LEADER)) {
      pair.peer.registerDataset("train");
      var asked = pair.efls.readerState("train");
      assertFalse(asked.isDone());

      value(pair.peer.sendReaderState("train", new ReaderState("b", 7)));

      assertEquals("b", value(asked).getBlockId());
      assertEquals(7, value(asked).getOffset());
    }
  }

  @Test
  void shouldAnswerReaderStatesOfTwoDatasetsApart() throws Exception {
    try (MixedPair pair = MixedPair.connected(Role.LEADER)) {
      pair.peer.registerDataset("train");
      pair.peer.registerDataset("test");
      var train = pair.peer.sendReaderState("train", new ReaderState("a", 1));
      var test = pair.peer.sendReaderState("test", new ReaderState("b", 2));

      assertEquals("b", value(pair.efls.readerState("test")).getBlockId());
      assertEquals("a", value(pair.efls.readerState("train")).getBlockId());
      value(train);
      value(test);
    }
  }

  @Test
  void shouldTellThatTheReaderHasTerminated() throws Exception {
    try (MixedPair pair = MixedPair.connected(Role.LEADER)) {
      pair.peer.registerDataset("train");
      var terminated = pair.peer.terminateReader("train");

      GetReaderStateResponse answer = value(pair.efls.readerState("train"));

      assertEquals(Code.OUT_OF_RANGE.number(), answer.getCodeValue());
      value(terminated);
    }
  }

  @Test
  void shouldAskForTheReaderStateWithTheBytesOfProtobufJava() throws Exception {
    try (MixedPair pair = MixedPair.connected(Role.FOLLOWER)) {
      pair.peer.registerDataset("train");
      pair.efls
          .service()
          .answerReaderState(
              "train",
              GetReaderStateResponse.newBuilder().setBlockId("data_1").setOffset(42).build());

      assertEquals(new ReaderState("data_1", 42), value(pair.peer.receiveReaderState("train")));
      assertEquals(
          GetReaderStateRequest.newBuilder().setName("train").build().toByteString(),
          pair.efls.recorder().next("GetReaderState"));
    }
  }

  @Test
  void shouldEndWithOutOfRangeWhenThePeerHasTerminatedTheReader() throws Exception {
    try (MixedPair pair = MixedPair.connected(Role.FOLLOWER)) {
      pair.peer.registerDataset("train");
      pair.efls
          .service()
          .answerReaderState(
              "train",
              GetReaderStateResponse.newBuilder()
                  .setCodeValue(Code.OUT_OF_RANGE.number())
                  .setMsg("the end")
                  .build());

      CommunicatorException end = failure(Code.OUT_OF_RANGE, pair.peer.receiveReaderState("train"));

      assertMentions(end, "receive reader state 'train'", "the end");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1200", "größe"})
  void shouldAnswerTheCheckpointVersion(String version) throws Exception {
    try (MixedPair pair = MixedPair.connected(Role.LEADER)) {
      var sent = pair.peer.sendCheckpointVersion(version);

      GetCheckpointVersionResponse answer = value(pair.efls.checkpointVersion());

      assertEquals(
          GetCheckpointVersionResponse.newBuilder().setVersion(version).build().toByteString(),
          answer.toByteString());
      value(sent);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1200", "größe", "a\0b"})
  void shouldAskForTheCheckpointVersion(String version) throws Exception {
    try (MixedPair pair = MixedPair.connected(Role.FOLLOWER)) {
      var asked = pair.peer.receiveCheckpointVersion();
      assertEquals(ByteString.EMPTY, pair.efls.recorder().next("GetCheckpointVersion"));
      assertFalse(asked.isDone());

      pair.efls
          .service()
          .answerCheckpointVersion(
              GetCheckpointVersionResponse.newBuilder().setVersion(version).build());

      assertEquals(version, value(asked));
    }
  }
}
