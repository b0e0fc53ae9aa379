package org.efl.examples.mnist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.efl.examples.data.DigitGenerator;
import org.efl.examples.data.VerticalSplit;
import org.efl.tensorflow.CheckpointException;
import org.efl.tensorflow.ModelDigest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A small disk of the test's own, in a process that may mount one: a namespace of its own. */
@Timeout(300)
class DiskFullTest {
  @TempDir Path folder;

  @Test
  void shouldStopWithTheReasonAndGoOnWhenThereIsRoomAgain() throws Exception {
    Path disk = Files.createDirectories(folder.resolve("small/leader"));
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Process process =
        new ProcessBuilder(
                "unshare",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                "mount -t tmpfs -o size=4m tmpfs \"$0\" && exec \"$@\"",
                disk.toString(),
                java,
                "-Dorg.bytedeco.javacpp.cachedir="
                    + System.getProperty("org.bytedeco.javacpp.cachedir", ""),
                "-cp",
                System.getProperty("java.class.path"),
                OnSmallDisk.class.getName(),
                folder.toString())
            .inheritIO()
            .start();
    try {
      assertTrue(process.waitFor(240, TimeUnit.SECONDS));
    } finally {
      process.destroyForcibly();
    }
    assertEquals(0, process.exitValue());
  }

  /** What runs there. */
  static final class OnSmallDisk {
    private static final Hyperparameters PARAMETERS = new Hyperparameters(32, 0.3f, 5);
    private static final List<String> PARTIES = List.of("leader", "follower");

    /** Room for two of the leader's checkpoints. */
    private static final int LEFT = 600 << 10;

    private OnSmallDisk() {}

    public static void main(String[] args) throws IOException {
      Path folder = Path.of(args[0]);
      Path data = folder.resolve("data");
      VerticalSplit.write(DigitGenerator.draw(500, 1), data, 2);
      pair(data, folder.resolve("large")).run(2).trained();

      Path small = folder.resolve("small");
      Path disk = small.resolve("leader");
      Path other = disk.resolve("other");
      Files.write(other, new byte[(int) Files.getFileStore(disk).getUsableSpace() - LEFT]);
      check(pair(data, small).run(2).leader().failure(), disk);
      assertEquals(64, ModelDigest.sha256(disk).length());

      Files.delete(other);
      pair(data, small).run(2).trained();
      for (String party : PARTIES) {
        assertEquals(
            ModelDigest.sha256(folder.resolve("large").resolve(party)),
            ModelDigest.sha256(small.resolve(party)));
      }
      System.exit(0);
    }

    private static Pair pair(Path data, Path checkpoints) {
      return new Pair(data, data, checkpoints, PARAMETERS).checkpointEvery(3);
    }

    private static void check(Throwable failure, Path disk) {
      String said = assertInstanceOf(CheckpointException.class, failure).getMessage();
      System.out.println(said);
      assertTrue(said.contains("Cannot save checkpoint 9 in " + disk), said);
      assertTrue(said.contains("No space left on device"), said);
      assertTrue(said.contains("Checkpoint 6 is whole; make room in " + disk), said);
    }
  }
}
