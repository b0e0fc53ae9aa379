package org.efl.examples.mnist;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What it does when it is small enough is in {@code scripts/soak}. */
class SmallDiskTest {
  @Test
  void shouldNotFillADiskThatHasOtherThingsOnIt(@TempDir Path folder) throws IOException {
    assumeTrue(Files.getFileStore(folder).getTotalSpace() > SmallDisk.LARGEST);
    String said =
        assertThrows(IllegalArgumentException.class, () -> new SmallDisk(folder)).getMessage();
    assertTrue(said.contains("expected a disk of at most 1073741824 bytes"), said);
    assertTrue(said.contains("mount -t tmpfs -o size=32m tmpfs " + folder), said);
  }
}
