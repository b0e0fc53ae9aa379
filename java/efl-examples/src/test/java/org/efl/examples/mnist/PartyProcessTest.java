package org.efl.examples.mnist;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PartyProcessTest {
  @TempDir Path folder;

  @Test
  void shouldNotTakeWhatAKillHasLeftUnfinishedForASave() throws Exception {
    PartyProcess party = new PartyProcess("leader", folder, folder, List.of("--help"));
    Path left = Files.createDirectories(folder.resolve("leader/.unfinished-10"));
    party.start();
    try {
      assertFalse(party.isSaving());
      Files.setLastModifiedTime(left, FileTime.from(Instant.now().plusSeconds(1)));
      assertTrue(party.isSaving());
    } finally {
      party.kill();
    }
  }
}
