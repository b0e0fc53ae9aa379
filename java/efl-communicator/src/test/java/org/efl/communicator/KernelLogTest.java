package org.efl.communicator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a process prints that logs from INFO on: the kernel's lines, and those of gRPC below it. */
@Timeout(120)
class KernelLogTest {
  /** gRPC's own way: level and date, then time, thread and file. */
  private static final Pattern PRINTED_BY_GRPC = Pattern.compile("[DIWE]\\d{4} .*");

  /** A party is left by its peer, then finds a port in use, which gRPC has to say something of. */
  static final class Probe {
    public static void main(String[] arguments) throws Exception {
      System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "info");
      try (Pair pair = Pair.connected()) {
        pair.leaderNode.close();
        while (pair.follower.state() != PeerState.IDLE) {
          Thread.sleep(5);
        }
        String taken = "localhost:" + pair.followerNode.port();
        assertThrows(
            CommunicatorException.class,
            () -> Node.open(Pair.listening().listenAddress(taken).build()));
      }
    }

    private Probe() {}
  }

  @Test
  void shouldTellAtInfoThatThePeerHasLeftAndWhatGrpcSays() throws Exception {
    ChildJvm.Outcome outcome = ChildJvm.run(Probe.class, Map.of(), 60);

    assertEquals(0, outcome.exit(), outcome.output());
    assertLogged(outcome, "INFO org.efl.kernel - peer localhost:.*: the peer has left: closed");
    assertLogged(outcome, "INFO org.efl.kernel - gRPC: .*[Aa]ddress already in use.*");
    List<String> printed =
        outcome.output().lines().filter(line -> PRINTED_BY_GRPC.matcher(line).matches()).toList();
    assertEquals(List.of(), printed);
  }

  private static void assertLogged(ChildJvm.Outcome outcome, String line) {
    Pattern pattern = Pattern.compile(".*" + line);
    assertEquals(
        1,
        outcome.output().lines().filter(one -> pattern.matcher(one).matches()).count(),
        outcome.output());
  }
}
