package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.efl.proto.MessageResponse;
import org.efl.proto.tensorflow.TensorProto;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How messages and receives find each other, with an EFLS party at the other end, in both roles.
 */
@Timeout(60)
@ParameterizedClass
@EnumSource(Role.class)
class EflsMatchingTest {
  private static final long[] ONE = {1};

  @Parameter Role role;

  private MixedPair pair;

  @BeforeEach
  void connect() throws Exception {
    pair = MixedPair.connected(role);
    pair.peer.registerTensor("t", DType.FLOAT, -1);
    pair.efls.service().register("t");
  }

  @AfterEach
  void close() {
    pair.close();
  }

  @Test
  void shouldAnswerAMessageWhenItIsConsumedAndNotBefore() throws Exception {
    pair.peer.registerTensor("other", DType.FLOAT, -1);
    var sent = send("t", 3, 5);
    var other = pair.peer.receive("other", 0);
    assertEquals(0, value(send("other", 0, 1)).getCodeValue());
    value(other);
    assertFalse(sent.isDone());

    assertEquals(Elements.floats(5), value(pair.peer.receive("t", 3)).data());
    assertEquals(0, value(sent).getCodeValue());
  }

  @Test
  void shouldKeepSeveralMessagesOfOneNameAndAnswerEach() throws Exception {
    var first = send("t", 0, 1);
    assertFalse(first.isDone());
    var second = send("t", 0, 2);

    Tensor one = value(pair.peer.receive("t", 0));
    Tensor two = value(pair.peer.receive("t", 0));

    assertEquals(0, value(first).getCodeValue());
    assertEquals(0, value(second).getCodeValue());
    assertEquals(3, one.data().getFloat(0) + two.data().getFloat(0));
  }

  @Test
  void shouldWaitForAMessageThatComesLater() throws Exception {
    var receiving = pair.peer.receive("t", 9);

    assertEquals(0, value(send("t", 9, 4)).getCodeValue());
    assertEquals(Elements.floats(4), value(receiving).data());
  }

  @Test
  void shouldFailBothPartiesWhenTheMessageOfAnotherStepIsParked() throws Exception {
    var sent = send("t", 4, 1);
    awaitParked();

    CommunicatorException failure = failure(Code.DATA_LOSS, pair.peer.receive("t", 3));

    assertDataLossOf(failure, value(sent));
  }

  @Test
  void shouldFailBothPartiesWhenAReceiveOfAnotherStepWaits() throws Exception {
    var receiving = pair.peer.receive("t", 3);

    MessageResponse answer = value(send("t", 4, 1));

    assertDataLossOf(failure(Code.DATA_LOSS, receiving), answer);
  }

  private static void assertDataLossOf(CommunicatorException failure, MessageResponse answer) {
    assertMentions(failure, "receive tensor 't' step 3", "step 4");
    assertEquals(Code.DATA_LOSS.number(), answer.getCodeValue());
    assertTrue(answer.getMsg().contains("step 3"), answer.getMsg());
    assertTrue(answer.getMsg().contains("step 4"), answer.getMsg());
  }

  @Test
  void shouldReportTheDataLossThatThePeerFinds() throws Exception {
    var sent = pair.peer.send("t", 4, DType.FLOAT, ONE, Elements.floats(1));
    value(pair.efls.service().arrival("t"));

    failure(pair.efls.service().receive("t", 3), EflsService.ReceiveFailed.class);

    assertMentions(failure(Code.DATA_LOSS, sent), "send tensor 't' step 4");
  }

  @Test
  void shouldRefuseAnUnregisteredName() throws Exception {
    MessageResponse answer = value(send("unknown", 0, 1));

    assertEquals(Code.NOT_FOUND.number(), answer.getCodeValue());
    assertEquals("Tensor named unknown not registered.", answer.getMsg());
  }

  @Test
  void shouldReportANameThatThePeerHasNotRegistered() {
    CommunicatorException refused =
        failure(Code.NOT_FOUND, pair.peer.send("unknown", 0, DType.FLOAT, ONE, Elements.floats(1)));

    assertEquals("Tensor named unknown not registered.", refused.reason());
  }

  @Test
  void shouldRefuseToReceiveAnUnregisteredName() {
    failure(Code.INVALID_ARGUMENT, pair.peer.receive("unknown", 0));
  }

  static Stream<Arguments> malformed() {
    ByteString threeBytes = ByteString.copyFrom(new byte[3]);
    return Stream.of(
        Arguments.of("content too short", Protos.tensor(DType.FLOAT, threeBytes, 1)),
        Arguments.of("negative size", Protos.tensor(DType.FLOAT, threeBytes, -1)),
        Arguments.of("no such type", Protos.tensor(DType.FLOAT, 1).setDtype(99).build()),
        Arguments.of("no type", Protos.tensor(DType.FLOAT, 1).setDtype(0).build()),
        Arguments.of(
            "too many elements", Protos.tensor(DType.FLOAT, threeBytes, 1L << 40, 1L << 40)));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void shouldFailBothPartiesWhenTheTensorIsMalformed(String defect, TensorProto proto)
      throws Exception {
    var receiving = pair.peer.receive("t", 0);

    MessageResponse answer = value(pair.efls.send(Protos.message("t", 0, proto)));

    assertEquals(Code.UNKNOWN.number(), answer.getCodeValue(), defect + ": " + answer.getMsg());
    assertMentions(failure(Code.UNKNOWN, receiving), "receive tensor 't' step 0");
  }

  @Test
  void shouldFailBothPartiesWhenTheMessageIsCutOffAndGoOn() throws Exception {
    ByteString cutOff = ByteString.copyFrom(new byte[] {0x0A, 0x01, 't', 0x1A, 0x7F, 0x08});
    var failing = pair.peer.receive("t", 0);

    assertEquals(Code.UNKNOWN.number(), value(pair.efls.sendRaw(cutOff)).getCodeValue());

    failure(Code.UNKNOWN, failing);
    var receiving = pair.peer.receive("t", 0);
    assertEquals(0, value(send("t", 0, 1)).getCodeValue());
    value(receiving);
  }

  @Test
  void shouldRefuseAnotherTypeAtBothEnds() throws Exception {
    var receiving = pair.peer.receive("t", 0);
    TensorProto proto = Protos.tensor(DType.INT64, Elements.bytes(Elements.direct(8)), 1);

    MessageResponse answer = value(pair.efls.send(Protos.message("t", 0, proto)));

    assertEquals(Code.INVALID_ARGUMENT.number(), answer.getCodeValue());
    failure(Code.INVALID_ARGUMENT, receiving);
  }

  @Test
  void shouldCarryOneNameInBothDirectionsAtOnce() throws Exception {
    var atKernel = pair.peer.receive("t", 0);
    var atEfls = pair.efls.service().receive("t", 0);

    var sent = pair.peer.send("t", 0, DType.FLOAT, ONE, Elements.floats(1));
    assertEquals(0, value(send("t", 0, 2)).getCodeValue());

    value(sent);
    assertEquals(Elements.floats(2), value(atKernel).data());
    assertEquals(Elements.bytes(Elements.floats(1)), value(atEfls).getTensorContent());
  }

  @Test
  void shouldNotOverwriteWhatThePeerHasParked() throws Exception {
    var first = pair.peer.send("t", 0, DType.FLOAT, ONE, Elements.floats(1));
    var second = pair.peer.send("t", 0, DType.FLOAT, ONE, Elements.floats(2));
    value(pair.efls.service().arrival("t"));

    TensorProto one = value(pair.efls.service().receive("t", 0));
    TensorProto two = value(pair.efls.service().receive("t", 0));

    value(first);
    value(second);
    assertEquals(Elements.bytes(Elements.floats(1)), one.getTensorContent());
    assertEquals(Elements.bytes(Elements.floats(2)), two.getTensorContent());
  }

  private CompletableFuture<MessageResponse> send(String name, long step, float element) {
    ByteBuffer data = Elements.floats(element);
    return pair.efls.send(
        Protos.message(name, step, Protos.tensor(DType.FLOAT, Elements.bytes(data), ONE)));
  }

  /** A message sent before has reached the mailbox once one sent after it has been answered. */
  private void awaitParked() throws Exception {
    assertEquals(Code.NOT_FOUND.number(), value(send("unknown", 0, 1)).getCodeValue());
  }
}
