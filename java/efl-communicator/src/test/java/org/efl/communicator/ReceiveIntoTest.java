package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Receives whose memory is the caller's. */
@Timeout(60)
class ReceiveIntoTest {
  private static final byte UNTOUCHED = 77;

  private Pair pair;

  @BeforeEach
  void connect() throws Exception {
    pair = Pair.connected();
    pair.leader.registerTensorOfAnyShape("t", DType.FLOAT);
  }

  @AfterEach
  void close() {
    pair.close();
  }

  @ParameterizedTest
  @EnumSource(
      value = Wire.class,
      names = {"LINK", "TRAINER"})
  void shouldWriteFromThePositionOnAndNothingElse(Wire wire) throws Exception {
    try (Pair own = Pair.with().peer(peer -> peer.wire(wire)).connected()) {
      own.leader.registerTensorOfAnyShape("t", DType.FLOAT);
      ByteBuffer into = untouched(32).position(8).order(ByteOrder.BIG_ENDIAN);

      var received = own.leader.receive("t", 1, into);
      value(own.follower.send("t", 1, DType.FLOAT, new long[] {2}, Elements.floats(1, 2)));

      Tensor tensor = value(received);
      assertEquals(DType.FLOAT, tensor.dtype());
      assertArrayEquals(new long[] {2}, tensor.dims());
      assertEquals(Elements.floats(1, 2), tensor.data());
      assertEquals(1f, tensor.data().getFloat(0));
      assertEquals(8, into.position());
      assertEquals(Elements.floats(1, 2), into.slice(8, 8));
      assertEquals(untouched(8), into.slice(0, 8));
      assertEquals(untouched(16), into.slice(16, 16));
      tensor.data().put(0, UNTOUCHED);
      assertEquals(UNTOUCHED, into.get(8));
    }
  }

  @Test
  void shouldUseOneBufferAgainAndAgain() throws Exception {
    ByteBuffer into = untouched(4 << 20);
    for (int step = 0; step < 20; step++) {
      ByteBuffer data = Elements.random(into.capacity(), step);

      var received = pair.leader.receive("t", step, into);
      value(pair.follower.send("t", step, DType.FLOAT, new long[] {1 << 20}, data));

      assertEquals(data, value(received).data());
      assertEquals(data, into);
    }
  }

  @Test
  void shouldTakeWhatHasArrivedAlready() throws Exception {
    ByteBuffer data = Elements.random(1 << 20, 3);
    value(pair.follower.send("t", 0, DType.FLOAT, new long[] {1 << 18}, data));
    ByteBuffer into = untouched(1 << 20);

    value(pair.leader.receive("t", 0, into));

    assertEquals(data, into);
  }

  @Test
  void shouldTakeAnEmptyTensorWhereThereIsNoRoom() throws Exception {
    var received = pair.leader.receive("t", 0, untouched(4).position(4));
    value(pair.follower.send("t", 0, DType.FLOAT, new long[] {0}, Elements.direct(0)));

    assertEquals(0, value(received).data().remaining());
  }

  @Test
  void shouldRefuseATensorThatDoesNotFitAtBothEnds() throws Exception {
    ByteBuffer into = untouched(16).position(4);
    var received = pair.leader.receive("t", 5, into);

    var sent = pair.follower.send("t", 5, DType.FLOAT, new long[] {4}, Elements.direct(16));

    CommunicatorException refused = failure(Code.RESOURCE_EXHAUSTED, received);
    assertMentions(refused, "receive tensor 't' step 5", "16 bytes: the buffer has 12");
    assertMentions(failure(Code.RESOURCE_EXHAUSTED, sent), "send tensor 't' step 5", "16 bytes");
    assertEquals(untouched(12), into);

    received = pair.leader.receive("t", 6, into);
    value(pair.follower.send("t", 6, DType.FLOAT, new long[] {1}, Elements.floats(3)));
    assertEquals(Elements.floats(3), value(received).data());
  }

  @Test
  void shouldRefuseAPlaceThatIsNotAligned() throws Exception {
    var received = pair.leader.receive("t", 0, untouched(16).position(2));

    failure(
        Code.RESOURCE_EXHAUSTED,
        pair.follower.send("t", 0, DType.FLOAT, new long[] {1}, Elements.floats(1)));

    assertMentions(failure(Code.RESOURCE_EXHAUSTED, received), "aligned for FLOAT");
  }

  @Test
  void shouldLeaveTheBufferAloneOnceTheReceiveHasEnded() throws Exception {
    ByteBuffer into = untouched(8);
    failure(Code.DEADLINE_EXCEEDED, pair.leader.receive("t", 0, into, Duration.ofMillis(100)));

    value(pair.follower.send("t", 0, DType.FLOAT, new long[] {2}, Elements.floats(1, 2)));

    assertEquals(Elements.floats(1, 2), value(pair.leader.receive("t", 0)).data());
    assertEquals(untouched(8), into);
  }

  @Test
  void shouldRefuseBuffersThatCannotBeWrittenTo() {
    assertThrows(
        IllegalArgumentException.class, () -> pair.leader.receive("t", 0, ByteBuffer.allocate(16)));
    assertThrows(
        IllegalArgumentException.class,
        () -> pair.leader.receive("t", 0, untouched(16).asReadOnlyBuffer()));
    assertEquals(0, pair.leader.pending());
  }

  private static ByteBuffer untouched(int bytes) {
    ByteBuffer buffer = Elements.direct(bytes);
    for (int i = 0; i < bytes; i++) {
      buffer.put(i, UNTOUCHED);
    }
    return buffer;
  }
}
