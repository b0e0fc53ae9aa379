package org.efl.examples.mnist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Kills processes of pairs that train (kill -9), 50 in all. Whichever of the two it is, whatever it
 * does at that moment, and be it both: what is trained in the end are the models of a pair that
 * nobody disturbed, bit for bit.
 */
@Timeout(1200)
class ChaosTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"link,38", "trainer,12"})
  void shouldTrainTheSameModelsWhoeverIsKilled(String wire, int kills) throws Exception {
    long seed = ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE);
    Path json = folder.resolve("chaos.json");
    Process chaos = start(wire, "--kills", "" + kills, "--seed", "" + seed, "--json", "" + json);
    String where = "over " + wire + ", seed " + seed;
    try {
      assertTrue(chaos.waitFor(18, TimeUnit.MINUTES), where);
    } finally {
      end(chaos);
    }
    ChaosReport report = Json.read(json, ChaosReport.class);
    assertEquals(List.of(), report.failures(), where);
    assertEquals(0, report.hangs(), where);
    assertTrue(report.modelIdentical(), where);
    assertTrue(report.kills() >= kills, where + ": " + report.kills());
    assertEquals(0, chaos.exitValue(), where);
  }

  /** Lets it end its parties, which it then starts no more, and kills whoever is left. */
  private static void end(Process chaos) throws InterruptedException {
    List<ProcessHandle> parties = chaos.descendants().toList();
    chaos.destroy();
    chaos.waitFor(20, TimeUnit.SECONDS);
    Stream.concat(parties.stream(), chaos.descendants()).forEach(ProcessHandle::destroyForcibly);
    chaos.destroyForcibly();
  }

  private static Process start(String wire, String... options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(
        "-Dorg.bytedeco.javacpp.cachedir="
            + System.getProperty("org.bytedeco.javacpp.cachedir", ""));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Mnist.class.getName()));
    command.add("chaos");
    command.addAll(List.of(options));
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    builder.environment().put("EFL_WIRE", wire);
    return builder.start();
  }
}
