package org.efl.communicator;

import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Connecting to an EFLS party, which knows nothing of the pair service, in both roles. */
@Timeout(60)
class EflsConnectionTest {
  static Stream<Arguments> everyWay() {
    return Stream.of(Role.values())
        .flatMap(
            role ->
                Stream.of(EflsPeer.Security.values())
                    .map(security -> Arguments.of(role, security)));
  }

  @ParameterizedTest
  @MethodSource("everyWay")
  void shouldConnectAndExchangeTensors(Role role, EflsPeer.Security security) throws Exception {
    try (MixedPair pair = MixedPair.connected(role, security)) {
      pair.peer.registerTensor("in", DType.FLOAT, -1);
      pair.efls.service().register("out");
      var atEfls = pair.efls.service().receive("out", 1);
      var atKernel = pair.peer.receive("in", 1);

      value(pair.peer.send("out", 1, DType.FLOAT, new long[] {2}, Elements.floats(1, 2)));
      var answer =
          value(
              pair.efls.send(
                  Protos.message(
                      "in", 1, Protos.tensor(DType.FLOAT, Elements.bytes(Elements.floats(3)), 1))));

      assertEquals(0, answer.getCodeValue(), answer.getMsg());
      assertEquals(Elements.bytes(Elements.floats(1, 2)), value(atEfls).getTensorContent());
      assertEquals(Elements.floats(3), value(atKernel).data());
      assertTrue(pair.peer.isEfls());
    }
  }

  @Test
  void shouldSendConnectAsFollowerOnceWithAnEmptyMessage() throws Exception {
    try (MixedPair pair = MixedPair.connected(Role.FOLLOWER)) {
      assertEquals(ByteString.EMPTY, pair.efls.recorder().next("Connect"));
    }
  }

  @Test
  void shouldAnswerConnectWithAnEmptyMessageAsLeader() throws Exception {
    try (MixedPair pair = new MixedPair(Role.LEADER, EflsPeer.Security.PLAIN)) {
      var connected = pair.peer.connect();
      assertFalse(connected.isDone());

      assertEquals(ByteString.EMPTY, value(pair.efls.connect()).toByteString());
      value(connected);
    }
  }

  @Test
  void shouldLetTheFollowerConnectBeforeTheLeaderWaits() throws Exception {
    try (MixedPair pair = new MixedPair(Role.LEADER, EflsPeer.Security.PLAIN)) {
      var connecting = pair.efls.connect();

      value(pair.peer.connect());
      value(connecting);
    }
  }

  @ParameterizedTest
  @EnumSource(Role.class)
  void shouldRefuseEveryOperationBeforeItIsConnected(Role role) throws Exception {
    try (MixedPair pair = new MixedPair(role, EflsPeer.Security.PLAIN)) {
      Peer peer = pair.peer;
      peer.registerTensor("t", DType.FLOAT);
      peer.registerDataset("d");

      failure(
          Code.FAILED_PRECONDITION,
          peer.send("t", 0, DType.FLOAT, new long[] {}, Elements.floats(1)));
      failure(Code.FAILED_PRECONDITION, peer.receive("t", 0));
      failure(Code.FAILED_PRECONDITION, peer.sendReaderState("d", new ReaderState("b", 1)));
      failure(Code.FAILED_PRECONDITION, peer.receiveReaderState("d"));
      failure(Code.FAILED_PRECONDITION, peer.terminateReader("d"));
      failure(Code.FAILED_PRECONDITION, peer.sendCheckpointVersion("1"));
      failure(Code.FAILED_PRECONDITION, peer.receiveCheckpointVersion());
      assertEquals(0, peer.pending());
    }
  }
}
