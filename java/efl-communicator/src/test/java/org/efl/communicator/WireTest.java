package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which wire two parties choose, what it takes to speak it, and what its options do. */
@Timeout(60)
class WireTest {
  private static final long[] ONE = {1};
  private static final Duration SOON = Duration.ofSeconds(5);

  @Test
  void shouldEndASendWhenThePeerHoldsTheTensor() throws Exception {
    try (Pair pair = Pair.connected()) {
      pair.leader.registerTensor("t", DType.FLOAT, -1);
      ByteBuffer data = Elements.floats(3);

      value(pair.follower.send("t", 0, DType.FLOAT, ONE, data));
      data.putFloat(0, 4);

      assertEquals(Elements.floats(3), value(pair.leader.receive("t", 0)).data());
    }
  }

  @Test
  void shouldKeepWhatAPartyHasSentBeforeItLeft() throws Exception {
    try (Pair pair = Pair.connected()) {
      pair.leader.registerTensor("t", DType.UINT8, -1);
      pair.leader.registerTensor("u", DType.UINT8, -1);
      ByteBuffer data = Elements.random(8 << 20, 1);
      value(pair.follower.send("t", 0, DType.UINT8, new long[] {8 << 20}, data));
      var never = pair.leader.receive("u", 0);

      pair.followerNode.close();
      failure(Code.UNAVAILABLE, never);

      assertEquals(data, value(pair.leader.receive("t", 0)).data());
    }
  }

  @Test
  void shouldEndASendWhenTheTensorIsConsumedWhereThatIsAskedFor() throws Exception {
    try (Pair pair =
        Pair.with().peer(peer -> peer.sendCompletion(SendCompletion.CONSUMED)).connected()) {
      assertEndsWhenConsumed(pair);
    }
  }

  @Test
  void shouldTellTheReceiverAloneThatWhatThePeerHasLetGoIsOutOfStep() throws Exception {
    try (Pair pair = Pair.connected()) {
      pair.leader.registerTensor("t", DType.FLOAT, -1);
      value(pair.follower.send("t", 8, DType.FLOAT, ONE, Elements.floats(1)));

      assertMentions(failure(Code.DATA_LOSS, pair.leader.receive("t", 7)), "step 7", "step 8");
    }
  }

  @Test
  void shouldSpeakTheWireThatIsPinnedAtOneParty() throws Exception {
    try (Pair pair =
        Pair.with()
            .peer(Role.LEADER, peer -> peer.wire(Wire.TRAINER))
            .peer(Role.FOLLOWER, peer -> peer.wire(Wire.AUTO))
            .connected()) {
      assertEndsWhenConsumed(pair);
    }
  }

  private static void assertEndsWhenConsumed(Pair pair) throws Exception {
    pair.leader.registerTensor("t", DType.FLOAT, -1);
    pair.leader.registerTensor("later", DType.FLOAT, -1);
    var sent = pair.follower.send("t", 0, DType.FLOAT, ONE, Elements.floats(3));
    var later = pair.leader.receive("later", 0);
    value(pair.follower.send("later", 0, DType.FLOAT, ONE, Elements.floats(1)));
    value(later);
    assertFalse(sent.isDone());

    value(pair.leader.receive("t", 0));
    value(sent);
  }

  @Test
  void shouldRefuseToConnectWhenThePartiesInsistOnDifferentWires() {
    try (Pair pair =
        Pair.with()
            .peer(Role.LEADER, peer -> peer.wire(Wire.TRAINER).defaultTimeout(SOON))
            .peer(Role.FOLLOWER, peer -> peer.wire(Wire.LINK).defaultTimeout(SOON))
            .unconnected()) {
      var leading = pair.leader.connect();

      assertMentions(failure(Code.FAILED_PRECONDITION, pair.follower.connect()), "wire=link");
      failure(leading);
    }
  }

  @ParameterizedTest
  @EnumSource(Role.class)
  void shouldRefuseAnEflsPartyWhereOnlyTheLinkWillDo(Role role) throws Exception {
    try (MixedPair pair =
        new MixedPair(role, EflsPeer.Security.PLAIN, peer -> peer.wire(Wire.LINK))) {
      assertMentions(
          failure(Code.FAILED_PRECONDITION, pair.peer.connect()), "wire=link", "EFL_WIRE");
    }
  }

  @ParameterizedTest
  @EnumSource(Role.class)
  void shouldReachAPartyThatOnlyListens(Role listening) throws Exception {
    try (Pair pair = Pair.with().onlyListening(listening).connected()) {
      assertEquals(0, listening == Role.LEADER ? pair.followerNode.port() : pair.leaderNode.port());
      assertExchanges(pair);
    }
  }

  @ParameterizedTest
  @EnumSource(Role.class)
  void shouldReachAPartyThatOnlyListensOverMutualTls(Role listening) throws Exception {
    TlsOptions leader = Certificates.mutual("leader");
    TlsOptions follower = Certificates.mutual("follower");
    try (Pair pair =
        Pair.with()
            .onlyListening(listening)
            .node(Role.LEADER, node -> node.tls(leader))
            .node(Role.FOLLOWER, node -> node.tls(follower))
            .peer(Role.LEADER, peer -> peer.tls(leader))
            .peer(Role.FOLLOWER, peer -> peer.tls(follower))
            .connected()) {
      assertExchanges(pair);
    }
  }

  /** Tensors and what is asked of the peer, in both directions. */
  private static void assertExchanges(Pair pair) throws Exception {
    ByteBuffer data = Elements.random(8 << 20, 1);
    long[] dims = {data.remaining()};
    pair.leader.registerTensor("t", DType.UINT8, -1);
    pair.follower.registerTensor("t", DType.UINT8, -1);
    value(pair.follower.send("t", 0, DType.UINT8, dims, data));
    value(pair.leader.send("t", 0, DType.UINT8, dims, data));
    assertEquals(data, value(pair.leader.receive("t", 0)).data());
    assertEquals(data, value(pair.follower.receive("t", 0)).data());

    var answered = pair.leader.sendCheckpointVersion("7");
    assertEquals("7", value(pair.follower.receiveCheckpointVersion()));
    value(answered);
    answered = pair.follower.sendCheckpointVersion("8");
    assertEquals("8", value(pair.leader.receiveCheckpointVersion()));
    value(answered);
  }

  @Test
  void shouldTellAPartyThatOnlyListensThatItsPeerHasLeft() throws Exception {
    try (Pair pair = Pair.with().onlyListening(Role.LEADER).connected()) {
      pair.leader.registerTensor("t", DType.FLOAT, -1);
      var received = pair.leader.receive("t", 0);

      pair.followerNode.close();

      failure(Code.UNAVAILABLE, received);
    }
  }

  @Test
  void shouldRefuseAPartyThatNeitherListensNorDials() {
    try (Node node = Node.open(NodeOptions.builder().tls(TlsOptions.none()).build())) {
      CommunicatorException refused =
          assertThrows(
              CommunicatorException.class, () -> node.addPeer(PeerOptions.builder().build()));

      assertEquals(Code.INVALID_ARGUMENT, refused.code());
      assertMentions(
          refused, "listenAddress (listen_address)", "peerAddress (peer_address)", "reached");
    }
  }

  @Test
  void shouldRefuseTheTrainerWireForAPartyThatCannotBeReached() {
    try (Node node = Node.open(NodeOptions.builder().tls(TlsOptions.none()).build())) {
      PeerOptions trainer = Pair.towards(Role.FOLLOWER, 1).wire(Wire.TRAINER).build();

      CommunicatorException refused =
          assertThrows(CommunicatorException.class, () -> node.addPeer(trainer));

      assertMentions(refused, "listenAddress (listen_address)", "wire=trainer");
    }
  }

  @Test
  void shouldRefuseAPeerOfAnotherJobAtBothEnds() {
    assertRefusedAtBothEnds(
        peer -> peer.jobId("spring"), peer -> peer.jobId("autumn"), "job_id", "spring", "autumn");
  }

  @Test
  void shouldRefuseAPeerThatIsAnotherWorkersAtBothEnds() {
    assertRefusedAtBothEnds(peer -> peer.worker(0, 2), peer -> peer.worker(1, 2), "worker_index");
    assertRefusedAtBothEnds(peer -> peer.worker(0, 2), peer -> peer.worker(0, 3), "worker_count");
  }

  private static void assertRefusedAtBothEnds(
      Consumer<PeerOptions.Builder> leader,
      Consumer<PeerOptions.Builder> follower,
      Object... words) {
    try (Pair pair =
        Pair.with().peer(Role.LEADER, leader).peer(Role.FOLLOWER, follower).unconnected()) {
      var leading = pair.leader.connect();
      var following = pair.follower.connect();

      assertMentions(failure(Code.FAILED_PRECONDITION, leading), words);
      assertMentions(failure(Code.FAILED_PRECONDITION, following), words);
    }
  }

  @Test
  void shouldConnectThePairThatBelongsTogether() throws Exception {
    try (Pair pair = Pair.with().peer(peer -> peer.jobId("spring").worker(1, 2)).connected()) {
      assertExchanges(pair);
    }
  }

  @Test
  void shouldWriteTensorsAsTheirNamesAreEncoded() throws Exception {
    String encodings = "fc*=bfloat16,zipped=zstd";
    try (Pair pair = Pair.with().peer(peer -> peer.encodings(encodings)).connected()) {
      float[] rounded = new float[1 << 10];
      for (int i = 0; i < rounded.length; i++) {
        rounded[i] = 1 + i / 1000f;
      }
      ByteBuffer data = Elements.floats(rounded);

      assertEquals(data, sent(pair, "other", data));
      assertEquals(data, sent(pair, "zipped", data));
      ByteBuffer halved = sent(pair, "fc1", data);

      for (int i = 0; i < rounded.length; i++) {
        assertEquals(rounded[i], halved.getFloat(4 * i), rounded[i] / 256);
      }
      assertFalse(data.equals(halved));
    }
  }

  private static ByteBuffer sent(Pair pair, String name, ByteBuffer data) throws Exception {
    pair.leader.registerTensor(name, DType.FLOAT, -1);
    var received = pair.leader.receive(name, 0);
    value(pair.follower.send(name, 0, DType.FLOAT, new long[] {data.remaining() / 4}, data));
    return value(received).data();
  }

  @Test
  void shouldCarryTensorsLargerThanTheWindowInSmallPiecesOverSeveralConnections() throws Exception {
    try (Pair pair =
        Pair.with()
            .peer(peer -> peer.windowBytes(1 << 20).chunkBytes(1 << 10).connections(3))
            .connected()) {
      assertExchanges(pair);
    }
  }

  @Test
  void shouldNotBlockTheOthersWithATensorThatNobodyAsksFor() throws Exception {
    try (Pair pair = Pair.with().peer(peer -> peer.mailboxBytes(1 << 20)).connected()) {
      pair.leader.registerTensor("held", DType.UINT8, -1);
      pair.leader.registerTensor("t", DType.UINT8, -1);
      ByteBuffer large = Elements.random(16 << 20, 1);
      var held = pair.follower.send("held", 0, DType.UINT8, new long[] {16 << 20}, large);

      var received = pair.leader.receive("t", 0);
      value(pair.follower.send("t", 0, DType.UINT8, ONE, Elements.direct(1)));
      value(received);
      assertFalse(held.isDone());

      assertEquals(large, value(pair.leader.receive("held", 0)).data());
      value(held);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fc*=gzip", "=zstd", "fc1"})
  void shouldRefuseEncodingsThatMakeNoSense(String encodings) {
    assertRefused("encodings", peer -> peer.encodings(encodings));
  }

  @Test
  void shouldRefuseOptionsOutOfRange() {
    assertRefused("windowBytes (window_bytes)", peer -> peer.windowBytes(1));
    assertRefused("chunkBytes (chunk_bytes)", peer -> peer.chunkBytes(2 << 20));
    assertRefused("connections", peer -> peer.connections(65));
    assertRefused("worker (worker_index)", peer -> peer.worker(2, 2));
  }

  private static void assertRefused(String option, Consumer<PeerOptions.Builder> change) {
    PeerOptions.Builder options = Pair.towards(Role.LEADER, 1);
    change.accept(options);
    try (Node node = Node.open(Pair.listening().build())) {
      CommunicatorException refused =
          assertThrows(CommunicatorException.class, () -> node.addPeer(options.build()));
      assertEquals(Code.INVALID_ARGUMENT, refused.code());
      assertTrue(refused.getMessage().contains(option), refused.getMessage());
    }
  }
}
