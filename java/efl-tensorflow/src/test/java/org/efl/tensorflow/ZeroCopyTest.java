package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.efl.communicator.Role;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.op.Op;
import org.tensorflow.types.TFloat32;

@Timeout(120)
class ZeroCopyTest {
  private static final int ELEMENTS = 48 << 20;
  private static final long BYTES = 4L * ELEMENTS;

  /** The sender's memory has room for the tensor once, and for half of it on top of that. */
  @Test
  void shouldSendWithoutCopyingTheTensor() throws Exception {
    int senderPort = Party.freePort();
    int port = Party.freePort();
    Process sender =
        ChildJvm.start(
            Sender.class, List.of("-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch"), senderPort, port);
    try (Party party = Party.open(Role.FOLLOWER, port, senderPort, c -> c)) {
      Operand<TFloat32> small = party.communicator.recv(party.tf, "small");
      Operand<TFloat32> large = party.communicator.recv(party.tf, "large");
      party.communicator.initialize(party.session());
      party.run(small);
      try (Result result = party.fetch(large)) {
        assertEquals(ELEMENTS, result.get(0).shape().size());
      }
      assertTrue(sender.waitFor(60, TimeUnit.SECONDS));
      assertEquals(0, sender.exitValue());
    } finally {
      sender.destroyForcibly();
    }
  }

  /** Exits with 1 when its memory had room for a copy at the moment of its peak. */
  static final class Sender {
    private Sender() {}

    public static void main(String[] args) throws Exception {
      try (Party party =
          Party.open(Role.LEADER, Integer.parseInt(args[0]), Integer.parseInt(args[1]), c -> c)) {
        Op small = party.send("small", filled(party, 1));
        Op large = party.send("large", filled(party, ELEMENTS));
        party.communicator.initialize(party.session());
        party.run(small);
        Files.writeString(Path.of("/proc/self/clear_refs"), "5"); // The peak begins anew.
        long before = ResidentMemory.read("VmRSS");
        party.run(large);
        long peak = ResidentMemory.read("VmHWM") - before;
        System.out.println("A tensor of " + BYTES + " bytes took " + peak + ".");
        System.exit(peak < BYTES + BYTES / 2 ? 0 : 1);
      }
    }

    private static Operand<TFloat32> filled(Party party, int elements) {
      // Random, so that it is computed in the run and not ahead of it.
      return party.tf.random.randomUniform(party.tf.constant(new int[] {elements}), TFloat32.class);
    }
  }
}
