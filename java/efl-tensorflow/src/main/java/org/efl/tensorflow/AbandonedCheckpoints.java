package org.efl.tensorflow;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;

/**
 * Checkpoints that a training went back behind. They don't count any more, but what is in them took
 * long, and the peer may have lost its own by mistake: so they are moved aside, into a folder
 * "abandoned-TIME" beside those that count, and go as later ones come.
 */
final class AbandonedCheckpoints {
  private static final String PREFIX = "abandoned-";

  /** Sorts by time as text, and has no character that a file system refuses. */
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);

  private final Path directory;
  private final int keep;

  /** Of all that were abandoned, so many are kept. */
  AbandonedCheckpoints(Path directory, int keep) {
    this.directory = directory;
    this.keep = keep;
  }

  /**
   * Moves versions aside, and deletes those that were abandoned first until no more than {@code
   * keep} are left.
   *
   * @return where they are now
   */
  Path add(List<String> versions) throws IOException {
    Path aside = create();
    for (String version : versions) {
      DurableFiles.move(directory.resolve(version), aside.resolve(version));
    }
    DurableFiles.forceFolder(aside);
    DurableFiles.forceFolder(directory);
    removeOld();
    return aside;
  }

  private Path create() throws IOException {
    Instant time = Instant.now();
    while (Files.exists(directory.resolve(PREFIX + TIME.format(time)))) {
      time = time.plus(1, ChronoUnit.MILLIS);
    }
    return Files.createDirectory(directory.resolve(PREFIX + TIME.format(time)));
  }

  /** The latest folder first, in each the newest version. */
  private void removeOld() throws IOException {
    int room = keep;
    for (Path folder : folders()) {
      List<String> versions = CheckpointStore.versionsIn(folder);
      int kept = Math.min(room, versions.size());
      room -= kept;
      if (kept == 0) {
        DurableFiles.removeTree(folder);
      } else {
        for (String version : versions.subList(0, versions.size() - kept)) {
          DurableFiles.removeTree(folder.resolve(version));
        }
      }
    }
  }

  private List<Path> folders() throws IOException {
    return DurableFiles.list(directory).stream()
        .filter(path -> path.getFileName().toString().startsWith(PREFIX))
        .sorted(Comparator.comparing((Path path) -> path.getFileName().toString()).reversed())
        .toList();
  }
}
