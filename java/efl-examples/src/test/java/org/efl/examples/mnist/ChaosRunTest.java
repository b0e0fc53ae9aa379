package org.efl.examples.mnist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChaosRunTest {
  @TempDir Path folder;
  private Path disk;
  private Path logs;
  private Path checkpoints;

  /** Of a run that has saved something. */
  @BeforeEach
  void save() throws IOException {
    disk = Files.createDirectory(folder.resolve("disk"));
    logs = folder.resolve("mnist-chaos-1").resolve("run-1");
    checkpoints = disk.resolve("mnist-chaos-1").resolve("run-1");
    Files.createDirectories(checkpoints.resolve("leader").resolve("10"));
    Files.writeString(checkpoints.resolve("leader").resolve("10").resolve("weights"), "1 2");
    Files.writeString(disk.resolve("other"), "of the next run");
  }

  @Test
  void shouldKeepTheCheckpointsOfAFailedRunOffItsDisk() throws IOException {
    run(Optional.of(new SmallDisk(disk, Long.MAX_VALUE))).leaveDisk(/* keep= */ true);
    Path kept = logs.resolve("checkpoints").resolve("leader").resolve("10").resolve("weights");
    assertEquals("1 2", Files.readString(kept));
    assertFalse(Files.exists(checkpoints));
    assertTrue(Files.exists(disk.resolve("other")));
  }

  @Test
  void shouldKeepNothingOfAGoodRun() throws IOException {
    run(Optional.of(new SmallDisk(disk, Long.MAX_VALUE))).leaveDisk(/* keep= */ false);
    assertFalse(Files.exists(logs.resolve("checkpoints")));
    assertFalse(Files.exists(checkpoints));
    assertTrue(Files.exists(disk.resolve("other")));
  }

  /** What can't be written to fails before its first checkpoint. */
  @Test
  void shouldLeaveADiskThatNothingWasWrittenTo() throws IOException {
    PartyOptions.remove(checkpoints);
    assertFalse(Files.exists(checkpoints));
    run(Optional.of(new SmallDisk(disk, Long.MAX_VALUE))).leaveDisk(/* keep= */ true);
    assertTrue(Files.isDirectory(logs));
    assertFalse(Files.exists(logs.resolve("checkpoints")));
    assertTrue(Files.exists(disk.resolve("other")));
  }

  @Test
  void shouldLeaveCheckpointsWhereTheyAreWithoutADiskOfTheirOwn() throws IOException {
    Path own = Files.createDirectories(logs.resolve("leader").resolve("10"));
    run(Optional.empty()).leaveDisk(/* keep= */ false);
    assertTrue(Files.exists(own));
  }

  private ChaosRun run(Optional<SmallDisk> small) throws IOException {
    return new ChaosRun(
        folder,
        logs,
        small,
        new String[] {"127.0.0.1:1", "127.0.0.1:2"},
        new Random(1),
        System.out);
  }
}
