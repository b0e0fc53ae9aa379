package org.efl.communicator;

import static org.efl.communicator.Outcomes.value;

import java.time.Duration;
import java.util.function.Consumer;

/**
 * Two kernels in one JVM. {@code leader} is what the leader calls, {@code follower} the follower.
 */
final class Pair implements AutoCloseable {
  final Node leaderNode;
  final Node followerNode;
  final Peer leader;
  final Peer follower;

  private Pair(Setup setup) {
    leaderNode = Node.open(setup.node());
    try {
      followerNode = Node.open(setup.node());
    } catch (RuntimeException e) {
      leaderNode.close();
      throw e;
    }
    leader = leaderNode.addPeer(setup.peer(Role.LEADER, followerNode.port()));
    follower = followerNode.addPeer(setup.peer(Role.FOLLOWER, leaderNode.port()));
  }

  static Pair connected() throws Exception {
    return new Setup().connected();
  }

  static Setup with() {
    return new Setup();
  }

  static NodeOptions.Builder listening() {
    return NodeOptions.builder()
        .listenAddress("localhost:0")
        .scanningInterval(Duration.ofMillis(50))
        .tls(TlsOptions.none());
  }

  static PeerOptions.Builder towards(Role role, int port) {
    return PeerOptions.builder()
        .role(role)
        .peerAddress("localhost:" + port)
        .defaultTimeout(Duration.ofSeconds(15))
        .tls(TlsOptions.none());
  }

  void connect() throws Exception {
    var waiting = leader.connect();
    value(follower.connect());
    value(waiting);
  }

  @Override
  public void close() {
    followerNode.close();
    leaderNode.close();
  }

  /** What a pair is made with, beside the defaults of these tests. */
  static final class Setup {
    private Consumer<NodeOptions.Builder> node = builder -> {};
    private Consumer<PeerOptions.Builder> peer = builder -> {};

    Setup node(Consumer<NodeOptions.Builder> change) {
      node = change;
      return this;
    }

    Setup peer(Consumer<PeerOptions.Builder> change) {
      peer = change;
      return this;
    }

    Pair unconnected() {
      return new Pair(this);
    }

    Pair connected() throws Exception {
      Pair pair = new Pair(this);
      try {
        pair.connect();
        return pair;
      } catch (Exception e) {
        pair.close();
        throw e;
      }
    }

    private NodeOptions node() {
      NodeOptions.Builder builder = listening();
      node.accept(builder);
      return builder.build();
    }

    private PeerOptions peer(Role role, int port) {
      PeerOptions.Builder builder = towards(role, port);
      peer.accept(builder);
      return builder.build();
    }
  }
}
