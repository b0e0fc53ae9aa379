package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What may leave, and the ledger of what left and arrived. */
@Timeout(120)
class GovernanceTest {
  private static final long[] SHAPE = {2};

  @TempDir Path folder;

  /** Sends "secret", then "open", from a follower that the environment governs. */
  static final class Probe {
    public static void main(String[] arguments) throws Exception {
      int leaderPort = Integer.parseInt(arguments[0]);
      try (Node node = Node.open(NodeOptions.builder().partyId("bob").build())) {
        Peer follower =
            node.addPeer(
                PeerOptions.builder()
                    .role(Role.FOLLOWER)
                    .peerAddress("localhost:" + leaderPort)
                    .build());
        follower.connect().get(20, TimeUnit.SECONDS);
        System.out.println(failure(follower.send("secret", 0, DType.FLOAT, SHAPE, data())));
        value(follower.send("open", 0, DType.FLOAT, SHAPE, data()));
        System.out.println("sent");
      }
    }

    private Probe() {}
  }

  private static ByteBuffer data() {
    return Elements.random(8, 1);
  }

  private Path policy(String rules) throws IOException {
    return Files.writeString(
        folder.resolve("policy.json"),
        "{\"version\": 1, \"default\": \"deny\", \"rules\": [" + rules + "]}");
  }

  private long count(Path ledger, String text) throws IOException {
    return Files.readAllLines(ledger).stream().filter(line -> line.contains(text)).count();
  }

  @ParameterizedTest
  @EnumSource(
      value = Wire.class,
      names = {"LINK", "TRAINER"})
  void shouldDenyAtTheSenderAndTellTheReceiver(Wire wire) throws Exception {
    Path policy = policy("{\"action\": \"allow\", \"names\": [\"open\"]}");
    Path sent = folder.resolve("follower.jsonl");
    Path received = folder.resolve("leader.jsonl");
    try (Pair pair =
        Pair.with()
            .node(Role.FOLLOWER, node -> node.egressPolicy(policy).auditLog(sent).partyId("bob"))
            .node(Role.LEADER, node -> node.auditLog(received).partyId("alice"))
            .peer(peer -> peer.wire(wire))
            .connected()) {
      pair.leader.registerTensor("secret", DType.FLOAT, 2);
      pair.leader.registerTensor("open", DType.FLOAT, 2);
      var secret = pair.leader.receive("secret", 0);
      CommunicatorException denied =
          failure(
              Code.PERMISSION_DENIED, pair.follower.send("secret", 0, DType.FLOAT, SHAPE, data()));
      assertMentions(denied, policy, "its default is deny", "send tensor 'secret'");
      CommunicatorException told = failure(Code.PERMISSION_DENIED, secret);
      assertMentions(told, "denied by its egress policy");
      assertFalse(told.getMessage().contains("policy.json"), told.getMessage());

      var open = pair.leader.receive("open", 0);
      value(pair.follower.send("open", 0, DType.FLOAT, SHAPE, data()));
      value(open);
    }
    assertEquals(1, count(sent, "\"event\":\"denied\",\"peer\":\"alice\""));
    assertEquals(1, count(sent, "\"event\":\"sent\",\"peer\":\"alice\""));
    assertEquals(1, count(received, "\"event\":\"received\",\"peer\":\"bob\""));
    assertEquals(1, count(received, "\"name\":\"open\",\"step\":0,\"dtype\":\"float\""));
  }

  @Test
  void shouldRefuseAPolicyThatMakesNoSense() throws Exception {
    Path policy = policy("{\"action\": \"perhaps\", \"names\": [\"open\"]}");
    CommunicatorException refused =
        assertThrows(
            CommunicatorException.class,
            () -> Node.open(Pair.listening().egressPolicy(policy).build()));
    assertEquals(Code.INVALID_ARGUMENT, refused.code());
    assertMentions(refused, "EFL_EGRESS_POLICY", policy, "rules[0].action: expected");
  }

  @Test
  void shouldGiveALedgerToOneNodeAtATime() {
    Path ledger = folder.resolve("audit.jsonl");
    NodeOptions options = Pair.listening().auditLog(ledger).build();
    try (Node first = Node.open(options)) {
      assertTrue(first.port() > 0);
      CommunicatorException refused =
          assertThrows(CommunicatorException.class, () -> Node.open(options));
      assertMentions(refused, "EFL_AUDIT_LOG", ledger, "a ledger belongs to one node");
    }
    Node.open(options).close();
  }

  @Test
  void shouldGovernAProcessByItsEnvironment() throws Exception {
    Path policy = policy("{\"action\": \"allow\", \"names\": [\"o*\"]}");
    Path ledger = folder.resolve("audit.jsonl");
    try (Node node = Node.open(Pair.listening().partyId("alice").build())) {
      Peer leader =
          node.addPeer(PeerOptions.builder().role(Role.LEADER).tls(TlsOptions.none()).build());
      leader.registerTensor("open", DType.FLOAT, 2);
      var connected = leader.connect();
      ChildJvm.Outcome outcome =
          ChildJvm.run(
              Probe.class,
              Map.of("EFL_EGRESS_POLICY", policy.toString(), "EFL_AUDIT_LOG", ledger.toString()),
              60,
              Integer.toString(node.port()));
      assertEquals(0, outcome.exit(), outcome.output());
      assertTrue(outcome.output().contains("PERMISSION_DENIED"), outcome.output());
      assertTrue(outcome.output().contains("sent"), outcome.output());
      value(connected);
      // What it sent before it left is still here.
      value(leader.receive("open", 0));
    }
    List<String> lines = Files.readAllLines(ledger);
    assertEquals(4, lines.size(), lines::toString);
    assertTrue(lines.get(0).contains("\"event\":\"opened\",\"party\":\"bob\""), lines.get(0));
    assertTrue(lines.get(1).contains("\"event\":\"denied\""), lines.get(1));
    assertTrue(lines.get(2).contains("\"event\":\"sent\",\"peer\":\"alice\""), lines.get(2));
    assertTrue(lines.get(3).contains("\"event\":\"closed\""), lines.get(3));
  }
}
