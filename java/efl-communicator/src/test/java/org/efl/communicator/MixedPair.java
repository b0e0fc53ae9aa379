package org.efl.communicator;

import static org.efl.communicator.Outcomes.value;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** A kernel and an EFLS party. {@code peer} is what the kernel's side calls. */
final class MixedPair implements AutoCloseable {
  final Node node;
  final Peer peer;
  final EflsPeer efls;
  private final Role role;

  /** The kernel plays this role, the EFLS party the other one. */
  MixedPair(Role role, EflsPeer.Security security) throws IOException {
    this(role, security, peer -> {});
  }

  MixedPair(Role role, EflsPeer.Security security, Consumer<PeerOptions.Builder> change)
      throws IOException {
    this.role = role;
    boolean leads = role == Role.LEADER;
    TlsOptions tls = tls(security, leads ? "leader" : "follower");
    efls = EflsPeer.listen(security, leads ? "follower" : "leader");
    try {
      node = Node.open(Pair.listening().tls(tls).build());
    } catch (RuntimeException e) {
      efls.close();
      throw e;
    }
    PeerOptions.Builder options = Pair.towards(role, efls.port()).tls(tls);
    change.accept(options);
    peer = node.addPeer(options.build());
    efls.dial(node.port());
  }

  static MixedPair connected(Role role) throws Exception {
    return connected(role, EflsPeer.Security.PLAIN);
  }

  static MixedPair connected(Role role, EflsPeer.Security security) throws Exception {
    MixedPair pair = new MixedPair(role, security);
    try {
      pair.connect();
      return pair;
    } catch (Exception | AssertionError e) {
      pair.close();
      throw e;
    }
  }

  void connect() throws Exception {
    var connected = peer.connect();
    CompletableFuture<?> other = role == Role.LEADER ? efls.connect() : efls.service().connected();
    value(other);
    value(connected);
  }

  @Override
  public void close() {
    node.close();
    efls.close();
  }

  private static TlsOptions tls(EflsPeer.Security security, String identity) {
    return switch (security) {
      case PLAIN -> TlsOptions.none();
      case MUTUAL -> Certificates.mutual(identity);
      case TLS ->
          TlsOptions.builder()
              .myCerts(Certificates.certificate(identity))
              .myKey(Certificates.key(identity))
              .peerCerts(Certificates.authority())
              .clientAuth(TlsOptions.ClientAuth.NONE)
              .targetNameOverride("")
              .build();
    };
  }
}
