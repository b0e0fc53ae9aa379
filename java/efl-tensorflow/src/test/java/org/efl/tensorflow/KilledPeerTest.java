package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.Role;
import org.efl.communicator.SendCompletion;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.types.TFloat32;

/** The default timeout is longer than the tests': only the broken connection can end an op. */
@Timeout(120)
class KilledPeerTest {
  private static final Duration NEVER = Duration.ofMinutes(10);
  private static final Duration RECONNECT = Duration.ofSeconds(1);

  /** A party of its own process: connects, then waits to be killed. */
  static final class Killed {
    private Killed() {}

    public static void main(String[] args) {
      Role role = Role.valueOf(args[0]);
      int port = Integer.parseInt(args[1]);
      int peerPort = Integer.parseInt(args[2]);
      // Should nobody kill it, it ends by itself.
      try (Party party =
          Party.open(role, port, peerPort, c -> c.defaultTimeout(Duration.ofMinutes(1)))) {
        Operand<TFloat32> never = party.communicator.recv(party.tf, "never");
        party.communicator.recv(party.tf, "unanswered");
        party.communicator.initialize(party.session());
        party.fetch(never).close();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldEndAReceiveWhenThePeerIsKilled(Role killed) throws Exception {
    shouldEndWhenThePeerIsKilled(killed, "receive tensor", "fc1_grad");
  }

  @ParameterizedTest
  @EnumSource
  void shouldEndASendWhenThePeerIsKilled(Role killed) throws Exception {
    shouldEndWhenThePeerIsKilled(killed, "send tensor", "unanswered");
  }

  private static void shouldEndWhenThePeerIsKilled(Role killed, String operation, String name)
      throws Exception {
    Role role = Trained.other(killed);
    int peerPort = Party.freePort();
    int port = Party.freePort();
    Process peer = ChildJvm.start(Killed.class, List.of(), killed, peerPort, port);
    try (Party party =
            Party.open(
                role,
                port,
                peerPort,
                c ->
                    c.defaultTimeout(NEVER)
                        .reconnectTimeout(RECONNECT)
                        .sendCompletion(SendCompletion.CONSUMED));
        Pair threads = Pair.open()) {
      Op waiting =
          operation.startsWith("send")
              ? party.send(name, party.tf.constant(1f))
              : party.communicator.recv(party.tf, name);
      party.communicator.initialize(party.session());
      party.communicator.runAddStep(party.session());
      Future<?> run = threads.start(() -> party.run(waiting));
      Pair.until(() -> party.communicator.pending() == 1);
      peer.destroyForcibly();
      CommunicatorException e = Pair.failure(run);
      assertEquals(Code.UNAVAILABLE, e.code(), e.getMessage());
      assertEquals(operation, e.operation());
      assertEquals(name, e.name());
      assertEquals(1, e.step());
      assertEquals("localhost:" + peerPort, e.peer());
    } finally {
      peer.destroyForcibly();
      assertTrue(peer.waitFor(30, TimeUnit.SECONDS));
    }
  }
}
