package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.Role;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.types.TFloat32;

@Timeout(120)
class KilledPeerTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  /** The leader of its own process: connects, then waits to be killed. */
  static final class Leader {
    private Leader() {}

    public static void main(String[] args) {
      int port = Integer.parseInt(args[0]);
      int peerPort = Integer.parseInt(args[1]);
      try (Party party =
          Party.open(Role.LEADER, port, peerPort, c -> c.defaultTimeout(Duration.ofMinutes(1)))) {
        Operand<TFloat32> never = party.communicator.recv(party.tf, "never");
        party.communicator.recv(party.tf, "unanswered");
        party.communicator.initialize(party.session());
        party.fetch(never).close();
      }
    }
  }

  @Test
  void shouldEndAReceiveWhenTheLeaderIsKilled() throws Exception {
    shouldEndWhenTheLeaderIsKilled("receive tensor", "fc1_grad");
  }

  @Test
  void shouldEndASendWhenTheLeaderIsKilled() throws Exception {
    shouldEndWhenTheLeaderIsKilled("send tensor", "unanswered");
  }

  private static void shouldEndWhenTheLeaderIsKilled(String operation, String name)
      throws Exception {
    int leaderPort = Party.freePort();
    int port = Party.freePort();
    Process leader = ChildJvm.start(Leader.class, List.of(), leaderPort, port);
    try (Party party = Party.open(Role.FOLLOWER, port, leaderPort, c -> c.defaultTimeout(TIMEOUT));
        Pair threads = Pair.open()) {
      Op waiting =
          operation.startsWith("send")
              ? party.send(name, party.tf.constant(1f))
              : party.communicator.recv(party.tf, name);
      party.communicator.initialize(party.session());
      Future<?> run = threads.start(() -> party.run(waiting));
      Pair.until(() -> party.communicator.pending() == 1);
      leader.destroyForcibly();
      long killed = System.nanoTime();
      CommunicatorException e = Pair.failure(run);
      long waited = System.nanoTime() - killed;
      assertEquals(operation, e.operation());
      assertEquals(name, e.name());
      assertEquals(0, e.step());
      assertTrue(e.peer().contains(Integer.toString(leaderPort)), e.getMessage());
      assertTrue(waited < TIMEOUT.plusSeconds(5).toNanos(), e.getMessage());
    } finally {
      leader.destroyForcibly();
      assertTrue(leader.waitFor(30, TimeUnit.SECONDS));
    }
  }
}
