package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.Future;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.Role;
import org.efl.communicator.TlsOptions;
import org.efl.communicator.Wire;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.op.Op;
import org.tensorflow.types.TFloat32;

/** Parties of which only one can be reached, and pairs that don't belong together. */
@Timeout(120)
class ReachabilityTest {
  @ParameterizedTest
  @EnumSource
  void shouldTrainWithAPartyThatOnlyListens(Role listening) {
    int port = Party.freePort();
    CommunicatorBuilder leader = party(Role.LEADER, listening == Role.LEADER, port);
    CommunicatorBuilder follower = party(Role.FOLLOWER, listening == Role.FOLLOWER, port);
    try (Pair pair = Pair.of(leader, follower)) {
      assertEquals(listening == Role.LEADER ? port : 0, pair.leader.communicator.port());
      assertEquals(listening == Role.LEADER ? 0 : port, pair.follower.communicator.port());
      assertExchanges(pair);
    }
  }

  /** A tensor there, twice of it back, three times. */
  static void assertExchanges(Pair pair) {
    Op send = pair.follower.send("t", pair.follower.tf.constant(new float[] {1, 2}));
    Operand<TFloat32> back = pair.follower.communicator.recv(pair.follower.tf, "twice");
    Operand<TFloat32> t = pair.leader.communicator.recv(pair.leader.tf, "t");
    Op answer = pair.leader.send("twice", pair.leader.tf.math.add(t, t));
    pair.connect();
    for (int step = 0; step < 3; step++) {
      try (Result result =
          pair.both(() -> pair.leader.run(answer), () -> fetch(pair.follower, send, back))) {
        assertEquals(4f, ((TFloat32) result.get(0)).getFloat(1));
      }
      pair.leader.communicator.runAddStep(pair.leader.session());
      pair.follower.communicator.runAddStep(pair.follower.session());
    }
  }

  private static Result fetch(Party party, Op also, Operand<TFloat32> fetched) {
    return party.session().runner().addTarget(also).fetch(fetched).run();
  }

  static CommunicatorBuilder party(Role role, boolean listens, int port) {
    CommunicatorBuilder builder =
        Communicator.builder()
            .federalRole(role)
            .scanningInterval(Duration.ofMillis(200))
            .defaultTimeout(Duration.ofMinutes(1))
            .tls(TlsOptions.none());
    String address = "localhost:" + port;
    return listens ? builder.localAddress(address) : builder.peerAddress(address);
  }

  @Test
  void shouldRefuseAPartyThatIsNowhere() {
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class,
            () -> Communicator.builder().federalRole(Role.LEADER).build());
    assertEquals("peerAddress or localAddress is not set.", e.getMessage());
  }

  @Test
  void shouldRefuseTheTrainerWireForAPartyThatOnlyDials() {
    CommunicatorException e =
        assertThrows(
            CommunicatorException.class,
            () -> party(Role.FOLLOWER, false, 1).wire(Wire.TRAINER).build());
    assertEquals(Code.INVALID_ARGUMENT, e.code());
    assertTrue(e.reason().contains("wire=trainer"), e.reason());
  }

  @Test
  void shouldRefuseAPeerOfAnotherJobAtBothEnds() {
    try (Pair pair =
        Pair.open(c -> c.jobId("spring").worker(0, 1), c -> c.jobId("autumn").worker(0, 1))) {
      Future<?> leading = pair.start(() -> initialize(pair.leader));
      Future<?> following = pair.start(() -> initialize(pair.follower));
      for (CommunicatorException e :
          new CommunicatorException[] {Pair.failure(leading), Pair.failure(following)}) {
        assertEquals(Code.FAILED_PRECONDITION, e.code());
        assertEquals("connect", e.operation());
        assertTrue(e.reason().contains("'spring' at the leader"), e.reason());
        assertTrue(e.reason().contains("'autumn' at the follower"), e.reason());
      }
    }
  }

  private static Void initialize(Party party) {
    party.communicator.initialize(party.session());
    return null;
  }
}
