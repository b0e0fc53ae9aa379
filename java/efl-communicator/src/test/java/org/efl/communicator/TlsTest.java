package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.efl.communicator.TlsOptions.ClientAuth;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Certificates between two kernels: who is let in, who is not, and what each is told. */
@Timeout(120)
class TlsTest {
  private static final Duration SOON = Duration.ofSeconds(5);

  /** Two parties, each with its own options; connects, and says how it ended at either end. */
  private static final class Meeting implements AutoCloseable {
    final Node leaderNode;
    final Node followerNode;
    final Peer leader;
    final Peer follower;
    final CompletableFuture<Void> leaderConnects;
    final CompletableFuture<Void> followerConnects;

    Meeting(TlsOptions leaderTls, TlsOptions followerTls) {
      leaderNode = Node.open(Pair.listening().tls(leaderTls).build());
      followerNode = Node.open(Pair.listening().tls(followerTls).build());
      leader =
          leaderNode.addPeer(Pair.towards(Role.LEADER, followerNode.port()).tls(leaderTls).build());
      follower =
          followerNode.addPeer(
              Pair.towards(Role.FOLLOWER, leaderNode.port()).tls(followerTls).build());
      leaderConnects = leader.connect(SOON);
      followerConnects = follower.connect(SOON);
    }

    void assertConnected() throws Exception {
      value(followerConnects);
      value(leaderConnects);
      leader.registerTensor("t", DType.FLOAT, -1);
      var received = leader.receive("t", 0);
      value(follower.send("t", 0, DType.FLOAT, new long[] {1}, Elements.floats(1)));
      assertEquals(Elements.floats(1), value(received).data());
    }

    @Override
    public void close() {
      followerNode.close();
      leaderNode.close();
    }
  }

  private static TlsOptions.Builder party(String name) {
    return TlsOptions.builder()
        .myCerts(Certificates.certificate(name))
        .myKey(Certificates.key(name))
        .peerCerts(Certificates.authority())
        .targetNameOverride("");
  }

  @ParameterizedTest
  @EnumSource(ClientAuth.class)
  void shouldConnectPartiesThatTrustEachOther(ClientAuth auth) throws Exception {
    try (Meeting meeting =
        new Meeting(
            party("leader").clientAuth(auth).build(), party("follower").clientAuth(auth).build())) {
      meeting.assertConnected();
    }
  }

  @Test
  void shouldRequireAClientCertificateByDefaultWherePeersAreKnown() {
    try (Meeting meeting = new Meeting(party("leader").build(), party("stranger").build())) {
      failure(meeting.followerConnects);
      failure(meeting.leaderConnects);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ClientAuth.class,
      names = {"REQUIRE", "REQUEST"})
  void shouldNotLetAStrangerIn(ClientAuth auth) {
    TlsOptions leader = party("leader").clientAuth(auth).build();
    TlsOptions stranger = party("stranger").clientAuth(ClientAuth.NONE).build();
    try (Meeting meeting = new Meeting(leader, stranger)) {
      assertMentions(failure(meeting.followerConnects), "connect", "certificate");
      failure(meeting.leaderConnects);
    }
  }

  @Test
  void shouldSayThatTheAuthorityOfThePeerIsUnknown() {
    TlsOptions leader =
        party("leader")
            .peerCerts(Certificates.otherAuthority())
            .clientAuth(ClientAuth.NONE)
            .build();
    try (Meeting meeting =
        new Meeting(leader, party("follower").clientAuth(ClientAuth.NONE).build())) {
      assertMentions(failure(meeting.leaderConnects), "certificate");
      failure(meeting.followerConnects);
    }
  }

  @Test
  void shouldSayThatThePeersCertificateHasExpired() {
    TlsOptions expired = party("expired").clientAuth(ClientAuth.NONE).build();
    CommunicatorException failure;
    try (Meeting meeting =
        new Meeting(expired, party("follower").clientAuth(ClientAuth.NONE).build())) {
      failure = failure(meeting.followerConnects);
    } catch (CommunicatorException e) {
      failure = e;
    }
    assertMentions(failure, "expired");
  }

  @Test
  void shouldSayThatTheCertificateIsForAnotherHost() {
    TlsOptions elsewhere = party("elsewhere").clientAuth(ClientAuth.NONE).build();
    try (Meeting meeting =
        new Meeting(elsewhere, party("follower").clientAuth(ClientAuth.NONE).build())) {
      assertMentions(failure(meeting.followerConnects), "localhost");
      failure(meeting.leaderConnects);
    }
  }

  @Test
  void shouldExpectTheOverriddenName() throws Exception {
    TlsOptions elsewhere = party("elsewhere").clientAuth(ClientAuth.NONE).build();
    TlsOptions override =
        party("follower").clientAuth(ClientAuth.NONE).targetNameOverride("elsewhere.efl").build();
    try (Meeting meeting = new Meeting(elsewhere, override)) {
      meeting.assertConnected();
    }
  }

  @Test
  void shouldExpectANameOfThePeer() throws Exception {
    TlsOptions follower = party("follower").minVersion(TlsOptions.MinVersion.TLS_1_3).build();
    try (Meeting meeting =
        new Meeting(party("leader").peerName("bob.efl", "follower.efl").build(), follower)) {
      meeting.assertConnected();
    }
    try (Meeting meeting = new Meeting(party("leader").peerName("bob.efl").build(), follower)) {
      for (var connects : List.of(meeting.leaderConnects, meeting.followerConnects)) {
        CommunicatorException failure = failure(connects);
        assertEquals(Code.UNAUTHENTICATED, failure.code());
        assertMentions(failure, "follower.efl", "bob.efl", "EFL_SSL_PEER_NAME");
      }
    }
  }

  @Test
  void shouldPutOutWhoIsTakenOffTheList(@TempDir Path folder) throws Exception {
    Path list = folder.resolve("parties");
    String fingerprint = Certificates.fingerprint("follower");
    Files.writeString(list, fingerprint + "\n");
    try (Meeting meeting =
        new Meeting(party("leader").allowedFingerprints(list).build(), party("follower").build())) {
      meeting.assertConnected();
      meeting.follower.registerTensor("t", DType.FLOAT, -1);
      var atLeader = meeting.leader.receive("t", 1);
      var atFollower = meeting.follower.receive("t", 1);

      Files.writeString(list, "# nobody\n");

      String digits = fingerprint.substring(fingerprint.indexOf('=') + 1).replace(":", "");
      for (var receive : List.of(atLeader, atFollower)) {
        CommunicatorException failure = failure(receive);
        assertEquals(Code.UNAUTHENTICATED, failure.code());
        assertMentions(failure, digits.toLowerCase(Locale.ROOT), "allowed fingerprints");
      }
    }
  }

  @Test
  void shouldNotListenElsewhereWithoutTls() {
    TlsOptions nothing =
        TlsOptions.builder()
            .myCerts(Path.of(""))
            .myKey(Path.of(""))
            .peerCerts(Path.of(""))
            .plaintext(TlsOptions.Plaintext.LOOPBACK)
            .build();
    CommunicatorException refused =
        assertThrows(
            CommunicatorException.class,
            () -> Node.open(NodeOptions.builder().listenAddress("0.0.0.0:0").tls(nothing).build()));
    assertMentions(refused, "listenAddress (listen_address)", "0.0.0.0:0", "EFL_PLAINTEXT=allow");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldSayThatOnlyOnePartySpeaksTls(boolean leaderSpeaksTls) {
    TlsOptions tls = party(leaderSpeaksTls ? "leader" : "follower").build();
    TlsOptions plain = TlsOptions.none();
    try (Meeting meeting = leaderSpeaksTls ? new Meeting(tls, plain) : new Meeting(plain, tls)) {
      assertMentions(failure(meeting.leaderConnects), "connect", "TLS");
      assertMentions(failure(meeting.followerConnects), "connect", "TLS");
    }
  }

  @Test
  void shouldRefuseAKeyOfAnotherCertificate() {
    assertRefused(party("leader").myKey(Certificates.key("follower")), "follower.key");
  }

  @Test
  void shouldRefuseFilesThatCannotBeRead() throws Exception {
    Path missing = Path.of("/nonexistent/party.pem");
    assertRefused(party("leader").myCerts(missing), missing);
    assertRefused(party("leader").myKey(missing), missing);
    assertRefused(party("leader").peerCerts(missing), missing);
  }

  @Test
  void shouldRefuseFilesThatAreNoCertificates() throws Exception {
    Path garbage = Certificates.garbage();
    assertRefused(party("leader").myCerts(garbage), garbage);
    assertRefused(party("leader").myKey(garbage), garbage);
    assertRefused(party("leader").peerCerts(garbage), garbage);
  }

  @Test
  void shouldRefuseACertificateWithoutItsKey() {
    TlsOptions half =
        TlsOptions.builder()
            .myCerts(Certificates.certificate("leader"))
            .myKey(Path.of(""))
            .peerCerts(Path.of(""))
            .build();

    CommunicatorException refused =
        assertThrows(
            CommunicatorException.class, () -> Node.open(Pair.listening().tls(half).build()));

    assertMentions(refused, "my_key_file");
  }

  private static void assertRefused(TlsOptions.Builder tls, Object... words) {
    CommunicatorException refused =
        assertThrows(
            CommunicatorException.class,
            () -> {
              try (Node node = Node.open(Pair.listening().tls(tls.build()).build())) {
                node.addPeer(Pair.towards(Role.LEADER, 1).tls(tls.build()).build());
              }
            });
    assertMentions(refused, words);
  }
}
