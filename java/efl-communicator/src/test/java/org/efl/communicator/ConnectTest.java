package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Opening a node, adding a peer, and finding the other party. */
@Timeout(60)
class ConnectTest {
  private static final Duration SOON = Duration.ofMillis(500);

  @Test
  void shouldListenOnAFreePortWhenAskedForNone() {
    try (Node one = Node.open(Pair.listening().build());
        Node two = Node.open(Pair.listening().build())) {
      assertFalse(one.port() == two.port());
    }
  }

  @Test
  void shouldRefuseAPortInUse() {
    try (Node one = Node.open(Pair.listening().build())) {
      String taken = "localhost:" + one.port();

      CommunicatorException refused =
          assertThrows(
              CommunicatorException.class,
              () -> Node.open(Pair.listening().listenAddress(taken).build()));

      assertMentions(refused, taken);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"localhost", "localhost:", "localhost:x", "localhost:70000", ":", "a:b:1"})
  void shouldRefuseAnAddressThatIsNone(String address) {
    CommunicatorException refused =
        assertThrows(
            CommunicatorException.class,
            () -> Node.open(Pair.listening().listenAddress(address).build()));
    assertEquals(Code.INVALID_ARGUMENT, refused.code());
    assertMentions(refused, "listenAddress (listen_address)='" + address + "'");

    try (Node node = Node.open(Pair.listening().build())) {
      PeerOptions options = Pair.towards(Role.LEADER, 1).peerAddress(address).build();
      refused = assertThrows(CommunicatorException.class, () -> node.addPeer(options));
    }
    assertEquals(Code.INVALID_ARGUMENT, refused.code());
    assertMentions(refused, "peerAddress (peer_address)='" + address + "'");
  }

  @Test
  void shouldRefuseOptionsOutOfRange() {
    assertRefused("server_thread_num", Pair.listening().serverThreadNum(0));
    assertRefused("scanning_interval_ms", Pair.listening().scanningInterval(Duration.ZERO));
    assertRefused("server_max_send_message_size", Pair.listening().serverMaxSendMessageSize(-1));
    try (Node node = Node.open(Pair.listening().build())) {
      assertRefused(node, "client_thread_num", Pair.towards(Role.LEADER, 1).clientThreadNum(0));
      assertRefused(
          node, "default_timeout_ms", Pair.towards(Role.LEADER, 1).defaultTimeout(Duration.ZERO));
      assertRefused(
          node,
          "client_max_receive_message_size",
          Pair.towards(Role.LEADER, 1).clientMaxReceiveMessageSize(1L << 40));
    }
  }

  private static void assertRefused(String option, NodeOptions.Builder options) {
    CommunicatorException refused =
        assertThrows(CommunicatorException.class, () -> Node.open(options.build()));
    assertEquals(Code.INVALID_ARGUMENT, refused.code());
    assertMentions(refused, option);
  }

  private static void assertRefused(Node node, String option, PeerOptions.Builder options) {
    CommunicatorException refused =
        assertThrows(CommunicatorException.class, () -> node.addPeer(options.build()));
    assertEquals(Code.INVALID_ARGUMENT, refused.code());
    assertMentions(refused, option);
  }

  @Test
  void shouldRefuseAPeerNameThatIsTaken() {
    try (Node one = Node.open(Pair.listening().build());
        Node two = Node.open(Pair.listening().build())) {
      Peer first = one.addPeer(Pair.towards(Role.LEADER, 1).name("taken").build());
      assertEquals("taken", first.name());

      CommunicatorException refused =
          assertThrows(
              CommunicatorException.class,
              () -> two.addPeer(Pair.towards(Role.LEADER, 2).name("taken").build()));

      assertMentions(refused, "taken");
    }
  }

  @Test
  void shouldFindTheLeaderThatComesLater() throws Exception {
    int leaderPort = freePort();
    try (Node followerNode = Node.open(Pair.listening().build())) {
      Peer follower = followerNode.addPeer(Pair.towards(Role.FOLLOWER, leaderPort).build());
      var connecting = follower.connect();

      try (Node leaderNode =
          Node.open(Pair.listening().listenAddress("localhost:" + leaderPort).build())) {
        Peer leader = leaderNode.addPeer(Pair.towards(Role.LEADER, followerNode.port()).build());
        value(leader.connect());
        value(connecting);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Role.class)
  void shouldGiveUpWhenThePeerNeverComes(Role role) throws Exception {
    try (Node node = Node.open(Pair.listening().build())) {
      int nobody = freePort();
      Peer peer = node.addPeer(Pair.towards(role, nobody).build());

      CommunicatorException late = failure(peer.connect(SOON));

      assertEquals(Code.DEADLINE_EXCEEDED, late.code(), late.getMessage());
      assertEquals("connect", late.operation());
      assertMentions(late, "peer localhost:" + nobody);
    }
  }

  @Test
  void shouldSayThatAHostIsUnknown() {
    try (Node node = Node.open(Pair.listening().build())) {
      Peer peer =
          node.addPeer(
              Pair.towards(Role.FOLLOWER, 1).peerAddress("no-such-host.invalid:50051").build());

      assertMentions(failure(peer.connect(SOON)), "no-such-host.invalid:50051");
    }
  }

  @ParameterizedTest
  @EnumSource(Role.class)
  void shouldRefuseTwoPartiesOfOneRole(Role role) {
    try (Node one = Node.open(Pair.listening().build());
        Node two = Node.open(Pair.listening().build())) {
      Peer towardsTwo = one.addPeer(Pair.towards(role, two.port()).build());
      Peer towardsOne = two.addPeer(Pair.towards(role, one.port()).build());

      var first = towardsTwo.connect();
      var second = towardsOne.connect();

      String both = role.name().toLowerCase(java.util.Locale.ROOT);
      assertMentions(failure(Code.FAILED_PRECONDITION, first), both);
      assertMentions(failure(Code.FAILED_PRECONDITION, second), both);
    }
  }

  @Test
  void shouldRefuseToConnectTwice() throws Exception {
    try (Pair pair = Pair.connected()) {
      assertEquals(
          "Already Connected.", failure(Code.FAILED_PRECONDITION, pair.leader.connect()).reason());
      assertEquals(
          "Already Connected.",
          failure(Code.FAILED_PRECONDITION, pair.follower.connect()).reason());
    }
  }

  @Test
  void shouldConnectAnotherTimeAfterATimeout() throws Exception {
    try (Pair pair = Pair.with().unconnected()) {
      failure(Code.DEADLINE_EXCEEDED, pair.leader.connect(SOON));

      pair.connect();
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("localhost"))) {
      return socket.getLocalPort();
    }
  }
}
