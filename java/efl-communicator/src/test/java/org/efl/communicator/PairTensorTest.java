package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tensors between two kernels. */
@Timeout(60)
class PairTensorTest {
  private static final long[] SCALAR = {};

  private Pair pair;

  @BeforeEach
  void connect() throws Exception {
    pair = Pair.connected();
  }

  /** For what a sender learns only when it waits until the tensor is consumed. */
  private void connectConsuming() throws Exception {
    pair.close();
    pair = Pair.consuming();
  }

  @AfterEach
  void close() {
    pair.close();
  }

  @ParameterizedTest
  @EnumSource(value = DType.class, names = "STRING", mode = EnumSource.Mode.EXCLUDE)
  void shouldCarryEveryFixedWidthType(DType dtype) throws Exception {
    pair.leader.registerTensor("t", dtype, 2, -1);
    ByteBuffer data = Elements.random(6 * dtype.byteSize(), 1);

    var received = pair.leader.receive("t", 3);
    value(pair.follower.send("t", 3, dtype, new long[] {2, 3}, data));

    Tensor tensor = value(received);
    assertEquals(dtype, tensor.dtype());
    assertArrayEquals(new long[] {2, 3}, tensor.dims());
    assertEquals(data, tensor.data());
  }

  @Test
  void shouldCarryStrings() throws Exception {
    pair.leader.registerTensor("t", DType.STRING, -1);
    ByteBuffer data = Elements.strings("", "zwölf", "x".repeat(300));

    var received = pair.leader.receive("t", 0);
    value(pair.follower.send("t", 0, DType.STRING, new long[] {3}, data));

    assertEquals(data, value(received).data());
  }

  @Test
  void shouldCarryScalarsAndEmptyTensors() throws Exception {
    pair.leader.registerTensor("scalar", DType.FLOAT);
    pair.leader.registerTensor("empty", DType.FLOAT, -1, 4);

    value(sendAndReceive("scalar", SCALAR, Elements.floats(7)));
    Tensor empty = value(sendAndReceive("empty", new long[] {0, 4}, Elements.floats()));

    assertArrayEquals(new long[] {0, 4}, empty.dims());
    assertEquals(0, empty.data().remaining());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4095, 65_536, 1 << 20, 64 << 20})
  void shouldCarryTensorsOfAnySize(int bytes) throws Exception {
    pair.leader.registerTensorOfAnyShape("t", DType.UINT8);
    ByteBuffer data = Elements.random(bytes, bytes);

    var received = pair.leader.receive("t", 0);
    value(pair.follower.send("t", 0, DType.UINT8, new long[] {bytes}, data));

    assertEquals(data, value(received).data());
  }

  @Test
  void shouldGiveDirectDataInNativeOrder() throws Exception {
    pair.leader.registerTensor("t", DType.FLOAT);

    Tensor tensor = value(sendAndReceive("t", SCALAR, Elements.floats(1.5f)));

    assertTrue(tensor.data().isDirect());
    assertEquals(ByteOrder.nativeOrder(), tensor.data().order());
    assertEquals(1.5f, tensor.data().getFloat(0));
  }

  @Test
  void shouldSendFromPositionToLimit() throws Exception {
    pair.leader.registerTensor("t", DType.FLOAT, -1);
    ByteBuffer data = Elements.floats(1, 2, 3, 4).position(4).limit(12);

    Tensor tensor = value(sendAndReceive("t", new long[] {2}, data));

    assertEquals(Elements.floats(2, 3), tensor.data());
    assertEquals(4, data.position());
  }

  @Test
  void shouldHoldAMessageUntilItIsAskedFor() throws Exception {
    connectConsuming();
    pair.leader.registerTensor("t", DType.FLOAT, -1);
    pair.leader.registerTensor("later", DType.FLOAT, -1);

    var parked = pair.follower.send("t", 5, DType.FLOAT, new long[] {1}, Elements.floats(9));
    value(sendAndReceive("later", new long[] {1}, Elements.floats(1)));
    assertFalse(parked.isDone());

    assertEquals(Elements.floats(9), value(pair.leader.receive("t", 5)).data());
    value(parked);
  }

  @Test
  void shouldKeepTheOrderOfOneName() throws Exception {
    pair.leader.registerTensor("t", DType.FLOAT, -1);
    List<CompletableFuture<Void>> sent = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      sent.add(pair.follower.send("t", 0, DType.FLOAT, new long[] {1}, Elements.floats(i)));
    }

    for (int i = 0; i < 50; i++) {
      assertEquals(Elements.floats(i), value(pair.leader.receive("t", 0)).data());
    }
    for (var one : sent) {
      value(one);
    }
  }

  @Test
  void shouldCarryOneNameInBothDirectionsAtOnce() throws Exception {
    pair.leader.registerTensor("t", DType.FLOAT, -1);
    pair.follower.registerTensor("t", DType.FLOAT, -1);

    var atLeader = pair.leader.receive("t", 0);
    var atFollower = pair.follower.receive("t", 0);
    value(pair.follower.send("t", 0, DType.FLOAT, new long[] {1}, Elements.floats(1)));
    value(pair.leader.send("t", 0, DType.FLOAT, new long[] {1}, Elements.floats(2)));

    assertEquals(Elements.floats(1), value(atLeader).data());
    assertEquals(Elements.floats(2), value(atFollower).data());
  }

  @Test
  void shouldServeManyWaitingReceives() throws Exception {
    List<CompletableFuture<Tensor>> received = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      pair.leader.registerTensor("t" + i, DType.FLOAT, -1);
      received.add(pair.leader.receive("t" + i, 0));
    }
    assertEquals(200, pair.leader.pending());
    for (int i = 199; i >= 0; i--) {
      value(pair.follower.send("t" + i, 0, DType.FLOAT, new long[] {1}, Elements.floats(i)));
    }

    for (int i = 0; i < 200; i++) {
      assertEquals(Elements.floats(i), value(received.get(i)).data());
    }
    assertEquals(0, pair.leader.pending());
    assertEquals(0, pair.follower.pending());
  }

  @Test
  void shouldRefuseASecondReceiveOfOneNameAndStep() throws Exception {
    pair.leader.registerTensor("t", DType.FLOAT, -1);
    var first = pair.leader.receive("t", 0);

    CommunicatorException refused = failure(Code.ALREADY_EXISTS, pair.leader.receive("t", 0));
    value(pair.follower.send("t", 0, DType.FLOAT, new long[] {1}, Elements.floats(1)));

    assertMentions(refused, "receive tensor", "'t'", "step 0");
    value(first);
  }

  @Test
  void shouldRefuseAnotherTypeAtBothEnds() throws Exception {
    pair.leader.registerTensor("t", DType.FLOAT, -1);
    var received = pair.leader.receive("t", 2);

    var sent = pair.follower.send("t", 2, DType.INT64, new long[] {1}, Elements.direct(8));

    assertMentions(failure(Code.INVALID_ARGUMENT, sent), "send tensor 't' step 2");
    assertMentions(failure(Code.INVALID_ARGUMENT, received), "receive tensor 't' step 2");
  }

  @Test
  void shouldRefuseAnotherShapeAtBothEnds() throws Exception {
    pair.leader.registerTensor("t", DType.FLOAT, -1, 3);
    var received = pair.leader.receive("t", 2);

    var sent = pair.follower.send("t", 2, DType.FLOAT, new long[] {1, 2}, Elements.floats(1, 2));

    assertMentions(failure(Code.INVALID_ARGUMENT, sent), "send tensor 't' step 2", "[1,2]");
    assertMentions(failure(Code.INVALID_ARGUMENT, received), "receive tensor 't' step 2", "[1,2]");
  }

  @Test
  void shouldRefuseASendOfTheWrongSize() {
    CommunicatorException refused =
        failure(
            Code.INVALID_ARGUMENT,
            pair.follower.send("t", 0, DType.FLOAT, new long[] {3}, Elements.floats(1, 2)));

    assertMentions(refused, "8 bytes", "[3]");
  }

  @Test
  void shouldRefuseATensorThatTheReceiverHasNotNamed() {
    CommunicatorException refused =
        failure(
            Code.NOT_FOUND, pair.follower.send("t", 4, DType.FLOAT, SCALAR, Elements.floats(1)));

    assertEquals("send tensor", refused.operation());
    assertEquals("t", refused.name());
    assertEquals(4, refused.step());
    assertEquals("Tensor named t not registered.", refused.reason());
  }

  @Test
  void shouldRefuseToReceiveAnUnnamedTensor() {
    failure(Code.INVALID_ARGUMENT, pair.leader.receive("t", 0));
  }

  @Test
  void shouldRefuseANameWithAnotherMeaning() {
    pair.leader.registerTensor("t", DType.FLOAT, 3);
    pair.leader.registerTensor("t", DType.FLOAT, 3);

    CommunicatorException refused =
        assertThrows(
            CommunicatorException.class, () -> pair.leader.registerTensor("t", DType.FLOAT, 4));

    assertEquals(Code.ALREADY_EXISTS, refused.code());
  }

  /** Both learn of it while the send awaits that the tensor is consumed. */
  @Test
  void shouldFailBothPartiesThatAreOutOfStep() throws Exception {
    connectConsuming();
    pair.leader.registerTensor("first", DType.FLOAT, -1);
    pair.leader.registerTensor("second", DType.FLOAT, -1);

    var received = pair.leader.receive("first", 7);
    var sent = pair.follower.send("first", 8, DType.FLOAT, new long[] {1}, Elements.floats(1));
    assertMentions(failure(Code.DATA_LOSS, received), "step 7", "step 8");
    assertMentions(failure(Code.DATA_LOSS, sent), "step 7", "step 8");

    sent = pair.follower.send("second", 8, DType.FLOAT, new long[] {1}, Elements.floats(1));
    received = pair.leader.receive("second", 7);
    assertMentions(failure(Code.DATA_LOSS, received), "step 7", "step 8");
    assertMentions(failure(Code.DATA_LOSS, sent), "step 7", "step 8");
  }

  @Test
  void shouldGoOnAfterParametersThatFailed() throws Exception {
    shouldFailBothPartiesThatAreOutOfStep();

    for (String name : new String[] {"first", "second"}) {
      value(sendAndReceive(name, new long[] {1}, Elements.floats(3)));
    }
  }

  @Test
  void shouldRefuseHeapBuffersAndNulCharacters() {
    assertThrows(
        IllegalArgumentException.class,
        () -> pair.leader.send("t", 0, DType.FLOAT, SCALAR, ByteBuffer.allocate(4)));
    assertThrows(IllegalArgumentException.class, () -> pair.leader.receive("t\0", 0));
    assertEquals(0, pair.leader.pending());
  }

  private CompletableFuture<Tensor> sendAndReceive(String name, long[] dims, ByteBuffer data)
      throws Exception {
    var received = pair.leader.receive(name, 0);
    value(pair.follower.send(name, 0, DType.FLOAT, dims, data));
    return received;
  }
}
