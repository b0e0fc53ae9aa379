package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A party whose process is killed while the other one waits for it, without a timeout that would
 * end the wait within these tests.
 */
@Timeout(120)
class KilledPeerTest {
  private static final Duration NEVER = Duration.ofMinutes(10);
  private static final Duration RECONNECT = Duration.ofSeconds(1);

  /** Connects in the role given to the port given, says so, and never does anything again. */
  static final class Party {
    public static void main(String[] arguments) throws Exception {
      Node node = Node.open(Pair.listening().build());
      System.out.println(node.port());
      Peer peer =
          node.addPeer(
              Pair.towards(Role.valueOf(arguments[0]), Integer.parseInt(arguments[1])).build());
      peer.registerTensor("parked", DType.FLOAT, -1);
      value(peer.connect());
      Thread.currentThread().join();
    }

    private Party() {}
  }

  @ParameterizedTest
  @EnumSource(Role.class)
  void shouldEndWhatWaitsForIt(Role killed) throws Exception {
    Role here = killed == Role.LEADER ? Role.FOLLOWER : Role.LEADER;
    Node node = Node.open(Pair.listening().build());
    Process process =
        ChildJvm.prepare(Party.class, killed.name(), Integer.toString(node.port()))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (node;
        BufferedReader output = process.inputReader()) {
      int port = Integer.parseInt(output.readLine());
      Peer peer =
          node.addPeer(
              Pair.towards(here, port)
                  .reconnectTimeout(RECONNECT)
                  .sendCompletion(SendCompletion.CONSUMED)
                  .build());
      value(peer.connect());
      peer.registerTensor("t", DType.FLOAT, -1);
      var received = peer.receive("t", 7, NEVER);
      var sent = peer.send("parked", 7, DType.FLOAT, new long[] {1}, Elements.floats(1), NEVER);

      process.destroyForcibly();

      assertMentions(
          failure(Code.UNAVAILABLE, received), "receive tensor 't' step 7, peer localhost:" + port);
      assertMentions(
          failure(Code.UNAVAILABLE, sent), "send tensor 'parked' step 7, peer localhost:" + port);
      assertEquals(0, peer.pending());
      long start = System.nanoTime();
      node.close();
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(5));
    } finally {
      process.destroyForcibly();
    }
  }
}
