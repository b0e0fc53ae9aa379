package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Closing in every state: within five seconds, and every operation ends. */
@Timeout(60)
class CloseTest {
  private static final Duration LIMIT = Duration.ofSeconds(5);
  private static final long[] ONE = {1};

  @Test
  void shouldCloseANodeWithoutAPeer() {
    closeInTime(Node.open(Pair.listening().build()));
  }

  @ParameterizedTest
  @EnumSource(Role.class)
  void shouldCloseBeforeItWasConnected(Role role) {
    Node node = Node.open(Pair.listening().build());
    node.addPeer(Pair.towards(role, 1).build());

    closeInTime(node);
  }

  @ParameterizedTest
  @EnumSource(Role.class)
  void shouldCloseWhileConnectingToNobody(Role role) throws Exception {
    Node node = Node.open(Pair.listening().build());
    var connecting = node.addPeer(Pair.towards(role, freePort()).build()).connect();

    closeInTime(node);

    assertMentions(failure(Code.CANCELLED, connecting), "connect");
  }

  @ParameterizedTest
  @EnumSource(Role.class)
  void shouldCloseWhileConnectingToSomebodyWhoSaysNothing(Role role) throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getByName("localhost"))) {
      Node node = Node.open(Pair.listening().build());
      var connecting = node.addPeer(Pair.towards(role, silent.getLocalPort()).build()).connect();
      silent.accept();

      closeInTime(node);

      failure(Code.CANCELLED, connecting);
    }
  }

  @ParameterizedTest
  @EnumSource(Role.class)
  void shouldEndEveryPendingOperationAtBothParties(Role closing) throws Exception {
    try (Pair pair = Pair.consuming()) {
      Peer here = closing == Role.LEADER ? pair.leader : pair.follower;
      Peer there = closing == Role.LEADER ? pair.follower : pair.leader;
      here.registerTensor("t", DType.FLOAT, -1);
      there.registerTensor("u", DType.FLOAT, -1);
      there.registerTensor("parked", DType.FLOAT, -1);
      here.registerDataset("d");
      List<CompletableFuture<?>> cancelled =
          List.of(
              here.receive("t", 0),
              here.send("parked", 0, DType.FLOAT, ONE, Elements.floats(1)),
              here.sendReaderState("d", new ReaderState("b", 0)),
              here.sendCheckpointVersion("1"));
      var left = there.receive("u", 0);

      closeInTime(here.node());

      for (CompletableFuture<?> one : cancelled) {
        failure(Code.CANCELLED, one);
      }
      assertMentions(failure(left), "receive tensor 'u' step 0");
      assertEquals(0, here.pending());
      closeInTime(there.node());
    }
  }

  @Test
  void shouldCloseInTheMiddleOfTransfers() throws Exception {
    try (Pair pair = Pair.connected()) {
      ByteBuffer data = Elements.direct(64 << 20);
      List<CompletableFuture<?>> transfers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        pair.leader.registerTensor("t" + i, DType.UINT8, -1);
        transfers.add(pair.leader.receive("t" + i, 0));
        transfers.add(
            pair.follower.send("t" + i, 0, DType.UINT8, new long[] {data.remaining()}, data));
      }
      value(CompletableFuture.anyOf(transfers.toArray(new CompletableFuture<?>[0])));

      closeInTime(pair.leaderNode);
      closeInTime(pair.followerNode);

      for (CompletableFuture<?> transfer : transfers) {
        assertEnds(transfer);
      }
    }
  }

  @Test
  void shouldCloseWhenThePeerIsGone() throws Exception {
    try (Pair pair = Pair.connected()) {
      pair.leader.registerTensor("t", DType.FLOAT, -1);
      closeInTime(pair.followerNode);
      var received = pair.leader.receive("t", 0);
      var sent = pair.leader.send("u", 0, DType.FLOAT, ONE, Elements.floats(1));

      assertMentions(failure(received), "receive tensor 't' step 0");
      assertMentions(failure(sent), "send tensor 'u' step 0");
      closeInTime(pair.leaderNode);
    }
  }

  @Test
  void shouldCloseFromAContinuation() throws Exception {
    try (Pair pair = Pair.connected()) {
      pair.leader.registerTensor("t", DType.FLOAT, -1);
      CompletableFuture<Void> closed =
          pair.leader
              .receive("t", 0)
              .thenAccept(
                  tensor -> {
                    pair.leaderNode.close();
                    pair.followerNode.close();
                  });

      assertEnds(pair.follower.send("t", 0, DType.FLOAT, ONE, Elements.floats(1)));

      value(closed);
      closeInTime(pair.leaderNode);
      closeInTime(pair.followerNode);
    }
  }

  @Test
  void shouldCloseTwiceAndFromTwoThreads() throws Exception {
    Pair pair = Pair.connected();
    var other = CompletableFuture.runAsync(() -> closeInTime(pair.leaderNode));
    closeInTime(pair.leaderNode);
    value(other);
    closeInTime(pair.leaderNode);
    closeInTime(pair.followerNode);
  }

  @Test
  void shouldRefuseEverythingAfterwards() throws Exception {
    try (Pair pair = Pair.connected()) {
      pair.leader.registerTensor("t", DType.FLOAT);
      pair.leaderNode.close();

      for (CompletableFuture<?> refused :
          List.of(
              pair.leader.connect(),
              pair.leader.send("t", 0, DType.FLOAT, new long[] {}, Elements.floats(1)),
              pair.leader.receive("t", 0),
              pair.leader.sendReaderState("d", new ReaderState("b", 0)),
              pair.leader.receiveReaderState("d"),
              pair.leader.terminateReader("d"),
              pair.leader.sendCheckpointVersion("1"),
              pair.leader.receiveCheckpointVersion())) {
        assertEquals("Already Closed.", failure(Code.FAILED_PRECONDITION, refused).reason());
      }
      CommunicatorException refused =
          assertThrows(
              CommunicatorException.class,
              () -> pair.leaderNode.addPeer(Pair.towards(Role.LEADER, 1).build()));
      assertEquals(Code.FAILED_PRECONDITION, refused.code());
      assertEquals("Already Closed.", refused.reason());
    }
  }

  @Test
  void shouldFreeItsPort() {
    Node first = Node.open(Pair.listening().build());
    String address = "localhost:" + first.port();
    first.close();

    try (Node second = Node.open(Pair.listening().listenAddress(address).build())) {
      assertEquals(address, "localhost:" + second.port());
    }
  }

  private static void closeInTime(Node node) {
    long start = System.nanoTime();
    node.close();
    Duration taken = Duration.ofNanos(System.nanoTime() - start);
    assertTrue(taken.compareTo(LIMIT) < 0, () -> "close() took " + taken);
  }

  private static void assertEnds(CompletableFuture<?> operation) throws Exception {
    value(operation.handle((ended, failed) -> true));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("localhost"))) {
      return socket.getLocalPort();
    }
  }
}
