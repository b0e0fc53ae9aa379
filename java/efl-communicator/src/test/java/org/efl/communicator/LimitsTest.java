package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Messages and mailboxes over their limits. Over the trainer wire, whose messages each hold a whole
 * tensor: an error that names the option, and nothing hangs. Over the link: nothing is refused.
 */
@Timeout(60)
class LimitsTest {
  private static final int LIMIT = 100_000;
  private static final int OVER = 200_000;

  @Test
  void shouldRefuseARequestOverTheSendersLimitAtBothEnds() throws Exception {
    try (Pair pair = trainer(peer -> peer.clientMaxSendMessageSize(LIMIT)).connected()) {
      assertRefusedAtBothEnds(pair, "client_max_send_message_size");
    }
  }

  @Test
  void shouldRefuseARequestOverTheReceiversLimitAtBothEnds() throws Exception {
    try (Pair pair =
        trainer(peer -> {}).node(node -> node.serverMaxReceiveMessageSize(LIMIT)).connected()) {
      assertRefusedAtBothEnds(pair, "server_max_receive_message_size");
    }
  }

  private static Pair.Setup trainer(Consumer<PeerOptions.Builder> change) {
    return Pair.with().peer(change.andThen(peer -> peer.wire(Wire.TRAINER)));
  }

  private static void assertRefusedAtBothEnds(Pair pair, String option) throws Exception {
    pair.leader.registerTensor("t", DType.UINT8, -1);
    var received = pair.leader.receive("t", 5);

    CommunicatorException refused = failure(Code.RESOURCE_EXHAUSTED, send(pair, 5, OVER));
    CommunicatorException told = failure(Code.RESOURCE_EXHAUSTED, received);

    assertMentions(refused, "send tensor 't' step 5", LIMIT);
    // By the key or by the environment variable, which is its capitals.
    assertTrue(
        refused.getMessage().toLowerCase(Locale.ROOT).contains(option), refused.getMessage());
    assertMentions(told, "receive tensor 't' step 5");
    assertSizeIsNamed(refused);

    var next = pair.leader.receive("t", 6);
    value(send(pair, 6, LIMIT / 2));
    assertEquals(LIMIT / 2, value(next).data().remaining());
  }

  /** The size of the message, which is the tensor and less than a hundred bytes around it. */
  private static void assertSizeIsNamed(CommunicatorException refused) {
    String message = refused.getMessage();
    for (int size = OVER; size < OVER + 100; size++) {
      if (message.contains(Integer.toString(size))) {
        return;
      }
    }
    throw new AssertionError("The size isn't in: " + message);
  }

  @Test
  void shouldCarryAMessageJustUnderTheLimit() throws Exception {
    try (Pair pair = trainer(peer -> peer.clientMaxSendMessageSize(LIMIT)).connected()) {
      pair.leader.registerTensor("t", DType.UINT8, -1);
      var received = pair.leader.receive("t", 0);

      value(send(pair, 0, LIMIT - 100));

      assertEquals(LIMIT - 100, value(received).data().remaining());
    }
  }

  private static Stream<Pair.Setup> limited() {
    return Stream.of(
        Pair.with().node(Role.LEADER, node -> node.serverMaxReceiveMessageSize(LIMIT)),
        Pair.with().node(Role.LEADER, node -> node.serverMaxSendMessageSize(LIMIT)),
        Pair.with().peer(Role.FOLLOWER, peer -> peer.clientMaxReceiveMessageSize(LIMIT)),
        Pair.with().peer(Role.FOLLOWER, peer -> peer.clientMaxSendMessageSize(LIMIT)));
  }

  @ParameterizedTest
  @MethodSource("limited")
  void shouldCutTensorsToTheLimitOverTheLink(Pair.Setup setup) throws Exception {
    try (Pair pair = setup.connected()) {
      pair.leader.registerTensor("t", DType.UINT8, -1);
      pair.follower.registerTensor("t", DType.UINT8, -1);

      value(send(pair, 0, 100 * OVER));
      value(pair.leader.receive("t", 0));
      var received = pair.follower.receive("t", 0);
      value(
          pair.leader.send(
              "t", 0, DType.UINT8, new long[] {100 * OVER}, Elements.random(100 * OVER, 0)));
      assertEquals(Elements.random(100 * OVER, 0), value(received).data());
    }
  }

  @Test
  void shouldRefuseWhatTheMailboxCannotHold() throws Exception {
    try (Pair pair = trainer(peer -> peer.mailboxBytes(LIMIT)).connected()) {
      pair.leader.registerTensor("t", DType.UINT8, -1);
      pair.leader.registerTensor("u", DType.UINT8, -1);
      var parked = send(pair, 0, LIMIT / 2);

      CommunicatorException refused =
          failure(
              Code.RESOURCE_EXHAUSTED,
              pair.follower.send("u", 0, DType.UINT8, new long[] {LIMIT}, Elements.direct(LIMIT)));

      assertMentions(refused, "mailbox_bytes", LIMIT);
      value(pair.leader.receive("t", 0));
      value(parked);
    }
  }

  @Test
  void shouldTakeMoreThanTheMailboxHoldsWhenItIsAskedFor() throws Exception {
    try (Pair pair = Pair.with().peer(peer -> peer.mailboxBytes(LIMIT)).connected()) {
      pair.leader.registerTensor("t", DType.UINT8, -1);
      var received = pair.leader.receive("t", 0);

      value(send(pair, 0, OVER));

      assertEquals(OVER, value(received).data().remaining());
    }
  }

  private static CompletableFuture<Void> send(Pair pair, long step, int size) {
    ByteBuffer data = Elements.random(size, step);
    return pair.follower.send("t", step, DType.UINT8, new long[] {size}, data);
  }
}
