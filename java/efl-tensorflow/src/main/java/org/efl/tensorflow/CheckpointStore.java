package org.efl.tensorflow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checkpoints on disk: one folder per version, named by it. A folder appears under its name only
 * when it is complete and on disk, by a rename; what a crash leaves behind has another name and is
 * removed at the next save. What was damaged later doesn't count either: each folder has a {@link
 * Manifest}.
 *
 * <p>A file "finished" says of a version that the data ended with it, and whether the peer has
 * saved it too.
 */
final class CheckpointStore {
  private static final Logger logger = LoggerFactory.getLogger(CheckpointStore.class);
  private static final Pattern VERSION = Pattern.compile("0|[1-9][0-9]{0,17}");
  private static final String UNFINISHED = ".unfinished-";
  private static final String FILE_PREFIX = "variables";

  private static final String FINISHED = "finished";

  private final Path directory;
  private final int keep;
  private final AbandonedCheckpoints abandoned;

  /** Versions that were read and found whole. */
  private final Set<String> whole = new HashSet<>();

  CheckpointStore(Path directory, int keep) {
    this.directory = directory;
    this.keep = keep;
    abandoned = new AbandonedCheckpoints(directory, keep);
  }

  /** Has every version read again before it counts. */
  void lookAgain() {
    whole.clear();
  }

  /** The newest whole version, "" when there is none. */
  String newest() {
    return newest(versions());
  }

  /** The newest whole version that is no newer than this one, "" when there is none. */
  String newestUpTo(String version) {
    return newest(versions().stream().filter(held -> number(held) <= number(version)).toList());
  }

  private String newest(List<String> versions) {
    for (int i = versions.size() - 1; i >= 0; i--) {
      if (isWhole(versions.get(i))) {
        return versions.get(i);
      }
    }
    return "";
  }

  private boolean isWhole(String version) {
    if (whole.contains(version)) {
      return true;
    }
    String defect = Manifest.defect(directory.resolve(version));
    if (defect.isEmpty()) {
      whole.add(version);
    } else {
      logger.warn(
          "Checkpoint {} is damaged and doesn't count: {}.", directory.resolve(version), defect);
    }
    return defect.isEmpty();
  }

  /** Versions compare as numbers; none ("") is before all. */
  static long number(String version) {
    return version.isEmpty() ? -1 : Long.parseLong(version);
  }

  static boolean isVersion(String text) {
    return VERSION.matcher(text).matches();
  }

  /** Whether a whole checkpoint of this version is there. Safe with a peer's text. */
  boolean holds(String version) {
    return versions().contains(version) && isWhole(version);
  }

  /** The prefix of the files of a version. */
  Path prefix(String version) {
    return directory.resolve(version).resolve(FILE_PREFIX);
  }

  /** Versions that were once complete, oldest first; whether they still are is not looked at. */
  List<String> versions() {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try {
      return versionsIn(directory);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot list checkpoints in " + directory, e);
    }
  }

  static List<String> versionsIn(Path folder) throws IOException {
    return DurableFiles.list(folder).stream()
        .map(path -> path.getFileName().toString())
        .filter(CheckpointStore::isVersion)
        .filter(name -> Files.isRegularFile(folder.resolve(name).resolve(Manifest.NAME)))
        .sorted(Comparator.comparingLong(CheckpointStore::number))
        .toList();
  }

  /** Has {@code writer} write the files under the prefix it is given, and makes them a version. */
  void save(String version, Consumer<Path> writer) {
    Path unfinished = directory.resolve(UNFINISHED + version);
    try {
      DurableFiles.createFolders(directory);
      removeUnfinished();
      Files.createDirectory(unfinished);
      writer.accept(unfinished.resolve(FILE_PREFIX));
      Manifest.write(unfinished);
      DurableFiles.forceAll(unfinished);
      publish(unfinished, directory.resolve(version));
    } catch (IOException | RuntimeException e) {
      throw cannotSave(version, unfinished, e);
    }
    removeOld(version);
  }

  private CheckpointException cannotSave(String version, Path unfinished, Exception cause) {
    CheckpointException failure =
        new CheckpointException(
            "Cannot save checkpoint "
                + version
                + " in "
                + unfinished
                + ": "
                + reason(cause)
                + ". "
                + savedBefore(cause)
                + "; "
                + remedy(),
            cause);
    try {
      // What was written of it takes the room that others need.
      removeUnfinished();
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
    return failure;
  }

  private String savedBefore(Exception cause) {
    try {
      String newest = newest();
      return newest.isEmpty() ? "None was saved before" : "Checkpoint " + newest + " is whole";
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
      return "What was saved before cannot be listed";
    }
  }

  private String remedy() {
    return "make room in " + directory + " and start this party again, it goes on from there.";
  }

  private static String reason(Exception cause) {
    if (cause instanceof FileSystemException e && e.getReason() != null) {
      return e.getReason() + " (" + e.getFile() + ")";
    }
    String message = cause.getMessage();
    return message == null ? cause.toString() : message.lines().findFirst().orElse("").strip();
  }

  /** The data ended with this version, which is saved here, and at the peer when confirmed. */
  void finish(String version, boolean confirmed) {
    try {
      Path unfinished = directory.resolve(UNFINISHED + FINISHED);
      Files.writeString(unfinished, confirmed ? version + " confirmed" : version);
      DurableFiles.forceFile(unfinished);
      DurableFiles.move(unfinished, directory.resolve(FINISHED));
      DurableFiles.forceFolder(directory);
    } catch (IOException e) {
      throw new CheckpointException(
          "Cannot write " + directory.resolve(FINISHED) + ": " + reason(e) + "; " + remedy(), e);
    }
  }

  /** The data go on after the version that they ended with. */
  void forgetEnd() {
    try {
      removeFinished();
    } catch (IOException e) {
      throw new CheckpointException("Cannot remove " + directory.resolve(FINISHED), e);
    }
  }

  private void removeFinished() throws IOException {
    if (Files.deleteIfExists(directory.resolve(FINISHED))) {
      DurableFiles.forceFolder(directory);
    }
  }

  /** Whether the data ended with the newest version, and whether the peer has that too. */
  Finished finished() {
    try {
      Path file = directory.resolve(FINISHED);
      String newest = newest();
      if (newest.isEmpty() || !Files.exists(file)) {
        return Finished.NO;
      }
      // Whatever a damaged file holds, it says neither.
      String said = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
      if (said.equals(newest + " confirmed")) {
        return Finished.CONFIRMED;
      }
      return said.equals(newest) ? Finished.HERE : Finished.NO;
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read checkpoints in " + directory, e);
    }
  }

  /** What is known of the end of a training. */
  enum Finished {
    NO,
    HERE,
    CONFIRMED
  }

  /** Moves the versions after the one that training goes on from, "" when it begins anew, aside. */
  void abandonAfter(String version) {
    try {
      List<String> newer =
          versions().stream().filter(held -> number(held) > number(version)).toList();
      if (!newer.isEmpty()) {
        newer.forEach(whole::remove);
        logger.warn(
            "Training {}; checkpoints {} are now in {}.",
            version.isEmpty() ? "begins anew" : "goes on from checkpoint " + version,
            newer,
            abandoned.add(newer));
      }
      if (finished() == Finished.NO) {
        removeFinished();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot abandon checkpoints in " + directory, e);
    }
  }

  private void publish(Path unfinished, Path target) throws IOException {
    if (Files.exists(target)) {
      DurableFiles.move(target, directory.resolve(UNFINISHED + "replaced-" + target.getFileName()));
    }
    DurableFiles.move(unfinished, target);
    DurableFiles.forceFolder(directory);
    whole.add(target.getFileName().toString());
  }

  private void removeUnfinished() throws IOException {
    for (Path path : DurableFiles.list(directory)) {
      if (path.getFileName().toString().startsWith(UNFINISHED)) {
        remove(path);
      }
    }
  }

  /** What can't go now is in nobody's way; the next save tries again. */
  private static void remove(Path leftover) {
    try {
      DurableFiles.removeTree(leftover);
    } catch (IOException | UncheckedIOException e) {
      logger.warn("Cannot remove {}, which doesn't count any more: {}.", leftover, reason(e));
    }
  }

  /** The new version is there by now: nothing here fails the save. */
  private void removeOld(String published) {
    try {
      removeUnfinished();
      List<String> others = versions().stream().filter(held -> !held.equals(published)).toList();
      for (String version : others.subList(0, Math.max(0, others.size() - (keep - 1)))) {
        // Renamed first, so that a version that is there is whole at every moment.
        Path doomed = directory.resolve(UNFINISHED + "old-" + version);
        DurableFiles.move(directory.resolve(version), doomed);
        whole.remove(version);
        remove(doomed);
      }
    } catch (IOException | UncheckedIOException e) {
      logger.warn("Cannot remove old checkpoints in {}: {}.", directory, reason(e));
    }
  }
}
