package org.efl.communicator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How a peer stands, for those who watch it. */
@Timeout(60)
@SuppressWarnings("try") // closing in the middle is what is tested
class PeerStateTest {
  private final List<StateListener.Change> heard = new CopyOnWriteArrayList<>();

  private List<PeerState> states() {
    return heard.stream().map(StateListener.Change::state).toList();
  }

  @Test
  void shouldTellEachStateInOrderAndNothingAfterClose() throws Exception {
    Instant before = Instant.now().minusSeconds(1);
    try (Node leaderNode = open();
        Node followerNode = open()) {
      Peer leader = leaderNode.addPeer(peer(Role.LEADER, followerNode.port()).build());
      Peer follower = followerNode.addPeer(peer(Role.FOLLOWER, leaderNode.port()).build());
      assertEquals(Optional.empty(), leader.wire());
      leader.addStateListener(heard::add);
      leader.addStateListener(
          change -> {
            throw new IllegalStateException("a listener's own mistake");
          });
      var leads = leader.connect();
      follower.connect().get(30, TimeUnit.SECONDS);
      leads.get(30, TimeUnit.SECONDS);
      assertEquals(PeerState.READY, leader.state());
      assertEquals(Optional.of(Wire.LINK), leader.wire());
      leaderNode.close();
      assertEquals(
          List.of(PeerState.IDLE, PeerState.CONNECTING, PeerState.READY, PeerState.CLOSED),
          states());
      assertTrue(heard.get(3).since().isAfter(before));
    }
  }

  @Test
  void shouldSayWhyThePeerIsGoneAndStopWhenAsked() throws Exception {
    try (Node leaderNode = open();
        Node followerNode = open()) {
      Peer leader = leaderNode.addPeer(peer(Role.LEADER, followerNode.port()).build());
      Peer follower = followerNode.addPeer(peer(Role.FOLLOWER, leaderNode.port()).build());
      List<StateListener.Change> short_ = new CopyOnWriteArrayList<>();
      StateListener.Registration registration = leader.addStateListener(short_::add);
      registration.close();
      leader.addStateListener(heard::add);
      var leads = leader.connect();
      follower.connect().get(30, TimeUnit.SECONDS);
      leads.get(30, TimeUnit.SECONDS);
      followerNode.close();
      while (heard.size() < 4) {
        Thread.sleep(5);
      }
      CommunicatorException cause = heard.get(3).cause().orElseThrow();
      assertEquals(PeerState.IDLE, heard.get(3).state());
      assertEquals(Code.UNAVAILABLE, cause.code());
      assertTrue(cause.reason().contains("the peer has left"), cause.reason());
      assertEquals(1, short_.size());
    }
  }

  @Test
  void shouldCountForRecordsAndMeters() throws Exception {
    try (Node leaderNode = open();
        Node followerNode = open()) {
      Peer leader = leaderNode.addPeer(peer(Role.LEADER, followerNode.port()).name("lead").build());
      Peer follower = followerNode.addPeer(peer(Role.FOLLOWER, leaderNode.port()).build());
      SimpleMeterRegistry registry = new SimpleMeterRegistry();
      new PeerMetrics(leader, List.of()).bindTo(registry);
      leader.registerTensorOfAnyShape("x", DType.FLOAT);
      var leads = leader.connect();
      follower.connect().get(30, TimeUnit.SECONDS);
      leads.get(30, TimeUnit.SECONDS);
      var received = leader.receive("x", 0);
      follower
          .send("x", 0, DType.FLOAT, new long[] {3}, Elements.floats(1, 2, 3))
          .get(30, TimeUnit.SECONDS);
      received.get(30, TimeUnit.SECONDS);
      assertEquals(1, leader.stats().tensorsReceived());
      assertEquals(12, leader.stats().bytesReceived());
      assertEquals(12, follower.stats().bytesSent());
      assertEquals(
          12, registry.get("efl.peer.received").tag("peer", "lead").functionCounter().count());
      assertEquals(1, registry.get("efl.peer.state").tag("state", "ready").gauge().value());
      assertEquals(0, leader.stats().reconnects());
      assertFalse(leader.stats().since().isAfter(Instant.now()));
    }
  }

  @Test
  void shouldRefuseMoreThanItsLimits() throws Exception {
    try (Node leaderNode = open();
        Node followerNode = open()) {
      Peer leader =
          leaderNode.addPeer(
              peer(Role.LEADER, followerNode.port()).maxPending(1).maxTensorBytes(8).build());
      Peer follower = followerNode.addPeer(peer(Role.FOLLOWER, leaderNode.port()).build());
      leader.registerTensorOfAnyShape("x", DType.FLOAT);
      var leads = leader.connect();
      follower.connect().get(30, TimeUnit.SECONDS);
      leads.get(30, TimeUnit.SECONDS);
      var waiting = leader.receive("x", 0);
      assertEquals(Code.RESOURCE_EXHAUSTED, Outcomes.failure(leader.receive("x", 1)).code());
      var sent = follower.send("x", 0, DType.FLOAT, new long[] {3}, Elements.floats(1, 2, 3));
      assertEquals(Code.RESOURCE_EXHAUSTED, Outcomes.failure(sent).code());
      assertEquals(Code.RESOURCE_EXHAUSTED, Outcomes.failure(waiting).code());
    }
  }

  private static Node open() {
    return Node.open(
        NodeOptions.builder()
            .listenAddress("localhost:0")
            .maxStreams(100)
            .keepalive(Duration.ofSeconds(1), Duration.ofSeconds(5))
            .build());
  }

  private static PeerOptions.Builder peer(Role role, int port) {
    return PeerOptions.builder()
        .role(role)
        .peerAddress("localhost:" + port)
        .keepalive(Duration.ofSeconds(1), Duration.ofSeconds(5));
  }
}
