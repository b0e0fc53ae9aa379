package org.efl.communicator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the environment sets, in processes of their own. The parties of {@link Probe} say nothing of
 * TLS or sizes themselves, unless asked to.
 */
@Timeout(120)
class EnvironmentTest {
  /** Connects a leader and a follower of this process and sends 1000 bytes. */
  static final class Probe {
    public static void main(String[] arguments) throws Exception {
      try (Node leaderNode = Node.open(node(arguments));
          Node followerNode = Node.open(node(arguments))) {
        Peer leader = leaderNode.addPeer(peer(Role.LEADER, followerNode.port(), arguments));
        Peer follower = followerNode.addPeer(peer(Role.FOLLOWER, leaderNode.port(), arguments));
        CompletableFuture<Void> connected = leader.connect();
        follower.connect().get(20, TimeUnit.SECONDS);
        connected.get(20, TimeUnit.SECONDS);
        leader.registerTensor("t", DType.UINT8, -1);
        CompletableFuture<Tensor> received = leader.receive("t", 0);
        follower
            .send("t", 0, DType.UINT8, new long[] {1000}, Elements.direct(1000))
            .get(20, TimeUnit.SECONDS);
        System.out.println("received " + received.get().data().remaining());
      }
    }

    private static NodeOptions node(String[] arguments) {
      NodeOptions.Builder builder = NodeOptions.builder().listenAddress("localhost:0");
      return (arguments.length == 0 ? builder : builder.tls(TlsOptions.none())).build();
    }

    private static PeerOptions peer(Role role, int port, String[] arguments) {
      PeerOptions.Builder builder =
          PeerOptions.builder()
              .role(role)
              .peerAddress("localhost:" + port)
              .defaultTimeout(Duration.ofSeconds(10));
      return (arguments.length == 0 ? builder : builder.tls(TlsOptions.none())).build();
    }

    private Probe() {}
  }

  private static Map<String, String> mutualTls() {
    Map<String, String> environment = new HashMap<>();
    environment.put("EFL_MY_CERTS_FILENAME", Certificates.certificate("leader").toString());
    environment.put("EFL_MY_KEY_FILENAME", Certificates.key("leader").toString());
    environment.put("EFL_PEER_CERTS_FILENAME", Certificates.authority().toString());
    environment.put("EFL_PLAINTEXT", "never");
    return environment;
  }

  @Test
  void shouldSpeakPlaintextWithoutAnyVariable() throws Exception {
    assertReceives(ChildJvm.run(Probe.class, Map.of(), 60));
  }

  @Test
  void shouldTakeCertificatesFromTheEnvironment() throws Exception {
    assertReceives(ChildJvm.run(Probe.class, mutualTls(), 60));
  }

  @Test
  void shouldTakeAnEmptyVariableForNone() throws Exception {
    assertReceives(
        ChildJvm.run(
            Probe.class,
            Map.of(
                "EFL_MY_CERTS_FILENAME", "",
                "EFL_MY_KEY_FILENAME", "",
                "EFL_PEER_CERTS_FILENAME", "",
                "EFL_SSL_CLIENT_AUTH", "",
                "EFL_CLIENT_MAX_SEND_MESSAGE_SIZE", ""),
            60));
  }

  @Test
  void shouldPutTheOverrideInThePlaceOfTheHost() throws Exception {
    Map<String, String> environment = mutualTls();
    environment.put("EFL_MY_CERTS_FILENAME", Certificates.certificate("elsewhere").toString());
    environment.put("EFL_MY_KEY_FILENAME", Certificates.key("elsewhere").toString());
    environment.put("EFL_SSL_TARGET_NAME_OVERRIDE", "elsewhere.efl");

    assertReceives(ChildJvm.run(Probe.class, environment, 60));
  }

  @Test
  void shouldTakeWhoMayComeInFromTheEnvironment() throws Exception {
    Map<String, String> environment = mutualTls();
    environment.put("EFL_SSL_PEER_NAME", "leader.efl");
    environment.put("EFL_SSL_MIN_VERSION", "1.3");
    assertReceives(ChildJvm.run(Probe.class, environment, 60));

    environment.put("EFL_SSL_PEER_NAME", "bob.efl");
    assertFails(
        ChildJvm.run(Probe.class, environment, 60), "UNAUTHENTICATED", "the name 'bob.efl'");
    environment = mutualTls();
    environment.put("EFL_SSL_ALLOWED_FINGERPRINTS_FILENAME", "/nonexistent/list");
    assertFails(ChildJvm.run(Probe.class, environment, 60), "/nonexistent/list");
    assertFails(
        ChildJvm.run(Probe.class, Map.of("EFL_PLAINTEXT", "never"), 60), "EFL_PLAINTEXT=never");
  }

  @Test
  void shouldLetExplicitSettingsWin() throws Exception {
    Map<String, String> environment = mutualTls();
    environment.put("EFL_MY_KEY_FILENAME", "/nonexistent/party.key");

    assertFails(ChildJvm.run(Probe.class, environment, 60), "/nonexistent/party.key");
    environment.remove("EFL_PLAINTEXT");
    assertReceives(ChildJvm.run(Probe.class, environment, 60, "plaintext"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"EFL_CLIENT_MAX_SEND_MESSAGE_SIZE", "EFL_SERVER_MAX_RECEIVE_MESSAGE_SIZE"})
  void shouldTakeTheLimitsOfMessagesFromTheEnvironment(String variable) throws Exception {
    Map<String, String> trainer = Map.of("EFL_WIRE", "trainer", variable, "2000");
    assertReceives(ChildJvm.run(Probe.class, trainer, 60));

    trainer = Map.of("EFL_WIRE", "trainer", variable, "500");
    assertFails(ChildJvm.run(Probe.class, trainer, 60), "RESOURCE_EXHAUSTED");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "EFL_CLIENT_MAX_SEND_MESSAGE_SIZE",
        "EFL_CLIENT_MAX_RECEIVE_MESSAGE_SIZE",
        "EFL_SERVER_MAX_SEND_MESSAGE_SIZE",
        "EFL_SERVER_MAX_RECEIVE_MESSAGE_SIZE",
        "EFL_SSL_CLIENT_AUTH",
        "EFL_SSL_MIN_VERSION",
        "EFL_PLAINTEXT",
        "EFL_WIRE",
        "EFL_SEND_COMPLETION",
        "EFL_ENCODINGS",
        "EFL_WINDOW_BYTES",
        "EFL_CHUNK_BYTES",
        "EFL_CONNECTIONS",
        "EFL_EGRESS_POLICY",
        "EFL_KEEPALIVE_INTERVAL_MS",
        "EFL_KEEPALIVE_TIMEOUT_MS",
        "EFL_MAX_PENDING",
        "EFL_MAX_TENSOR_BYTES",
        "EFL_MAILBOX_BYTES",
        "EFL_MAX_STREAMS",
        "EFL_SERVER_MEMORY_BYTES"
      })
  void shouldNameAVariableThatMakesNoSense(String variable) throws Exception {
    assertFails(ChildJvm.run(Probe.class, Map.of(variable, "much"), 60), variable, "much");
  }

  private static void assertReceives(ChildJvm.Outcome outcome) {
    assertEquals(0, outcome.exit(), outcome.output());
    assertTrue(outcome.output().contains("received 1000"), outcome.output());
  }

  private static void assertFails(ChildJvm.Outcome outcome, String... words) {
    assertEquals(1, outcome.exit(), outcome.output());
    for (String word : words) {
      assertTrue(outcome.output().contains(word), outcome.output());
    }
  }
}
