package org.efl.communicator;

import static org.efl.communicator.Outcomes.value;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
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
    leaderNode = Node.open(setup.node(Role.LEADER));
    try {
      followerNode = Node.open(setup.node(Role.FOLLOWER));
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

  /** Sends end when the peer has consumed the tensor, as over the trainer wire. */
  static Pair consuming() throws Exception {
    return new Setup().peer(peer -> peer.sendCompletion(SendCompletion.CONSUMED)).connected();
  }

  static Setup with() {
    return new Setup();
  }

  static NodeOptions.Builder listening() {
    return dialling().listenAddress("localhost:0");
  }

  private static NodeOptions.Builder dialling() {
    return NodeOptions.builder().scanningInterval(Duration.ofMillis(50)).tls(TlsOptions.none());
  }

  static PeerOptions.Builder towards(Role role, int port) {
    return listeningAs(role).peerAddress("localhost:" + port);
  }

  private static PeerOptions.Builder listeningAs(Role role) {
    return PeerOptions.builder()
        .role(role)
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
    private final Map<Role, Consumer<NodeOptions.Builder>> nodes = new EnumMap<>(Role.class);
    private final Map<Role, Consumer<PeerOptions.Builder>> peers = new EnumMap<>(Role.class);
    private Optional<Role> onlyListening = Optional.empty();

    Setup node(Consumer<NodeOptions.Builder> change) {
      return node(Role.LEADER, change).node(Role.FOLLOWER, change);
    }

    Setup node(Role role, Consumer<NodeOptions.Builder> change) {
      nodes.put(role, change);
      return this;
    }

    Setup peer(Consumer<PeerOptions.Builder> change) {
      return peer(Role.LEADER, change).peer(Role.FOLLOWER, change);
    }

    Setup peer(Role role, Consumer<PeerOptions.Builder> change) {
      peers.put(role, change);
      return this;
    }

    /** This party doesn't know where the other one is, which doesn't listen. */
    Setup onlyListening(Role role) {
      onlyListening = Optional.of(role);
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

    private NodeOptions node(Role role) {
      boolean dials = onlyListening.isPresent() && onlyListening.get() != role;
      NodeOptions.Builder builder = dials ? dialling() : listening();
      nodes.getOrDefault(role, unchanged -> {}).accept(builder);
      return builder.build();
    }

    private PeerOptions peer(Role role, int port) {
      boolean listens = onlyListening.isPresent() && onlyListening.get() == role;
      PeerOptions.Builder builder = listens ? listeningAs(role) : towards(role, port);
      peers.getOrDefault(role, unchanged -> {}).accept(builder);
      return builder.build();
    }
  }
}
