package org.efl.tensorflow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checkpoints on disk: one folder per version, named by it. A folder appears under its name only
 * when it is complete and on disk, by a rename; what a crash leaves behind has another name and is
 * removed at the next save.
 */
final class CheckpointStore {
  private static final Logger logger = LoggerFactory.getLogger(CheckpointStore.class);
  private static final Pattern VERSION = Pattern.compile("0|[1-9][0-9]{0,17}");
  private static final String UNFINISHED = ".unfinished-";
  private static final String ABANDONED = "abandoned-";
  private static final String FILE_PREFIX = "variables";

  private final Path directory;
  private final int keep;

  CheckpointStore(Path directory, int keep) {
    this.directory = directory;
    this.keep = keep;
  }

  /** The newest complete version, "" when there is none. */
  String newest() {
    List<String> versions = versions();
    return versions.isEmpty() ? "" : versions.get(versions.size() - 1);
  }

  /** The newest complete version that is no newer than this one, "" when there is none. */
  String newestUpTo(String version) {
    return versions().stream()
        .filter(held -> number(held) <= number(version))
        .reduce("", (older, newer) -> newer);
  }

  /** Versions compare as numbers; none ("") is before all. */
  static long number(String version) {
    return version.isEmpty() ? -1 : Long.parseLong(version);
  }

  static boolean isVersion(String text) {
    return VERSION.matcher(text).matches();
  }

  /** Whether a complete checkpoint of this version is there. Safe with a peer's text. */
  boolean holds(String version) {
    return versions().contains(version);
  }

  /** The prefix of the files of a version. */
  Path prefix(String version) {
    return directory.resolve(version).resolve(FILE_PREFIX);
  }

  /** Complete versions, oldest first. */
  List<String> versions() {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .map(path -> path.getFileName().toString())
          .filter(CheckpointStore::isVersion)
          .filter(name -> Files.isRegularFile(directory.resolve(name).resolve("variables.index")))
          .sorted(Comparator.comparingLong(CheckpointStore::number))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot list checkpoints in " + directory, e);
    }
  }

  /** Has {@code writer} write the files under the prefix it is given, and makes them a version. */
  void save(String version, Consumer<Path> writer) {
    try {
      Files.createDirectories(directory);
      removeUnfinished();
      Path unfinished = Files.createDirectory(directory.resolve(UNFINISHED + version));
      writer.accept(unfinished.resolve(FILE_PREFIX));
      force(unfinished);
      publish(unfinished, directory.resolve(version));
      removeOld(version);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot save checkpoint " + version + " in " + directory, e);
    }
  }

  /**
   * Takes away the versions after the one that training goes on from. When it begins anew ("")
   * nothing stands in their place: then they are moved aside.
   */
  void abandonAfter(String version) {
    try {
      List<String> newer =
          versions().stream().filter(held -> number(held) > number(version)).toList();
      if (version.isEmpty() && !newer.isEmpty()) {
        Path aside = Files.createTempDirectory(directory, ABANDONED);
        for (String held : newer) {
          Files.move(directory.resolve(held), aside.resolve(held), StandardCopyOption.ATOMIC_MOVE);
        }
        logger.warn("Training begins anew; checkpoints {} are now in {}.", newer, aside);
      } else {
        remove(newer);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot abandon checkpoints in " + directory, e);
    }
  }

  private void publish(Path unfinished, Path target) throws IOException {
    if (Files.exists(target)) {
      Files.move(
          target,
          directory.resolve(UNFINISHED + "replaced-" + target.getFileName()),
          StandardCopyOption.ATOMIC_MOVE);
    }
    Files.move(unfinished, target, StandardCopyOption.ATOMIC_MOVE);
    forceOne(directory, StandardOpenOption.READ);
    removeUnfinished();
  }

  private void removeUnfinished() throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      for (Path path : entries.toList()) {
        if (path.getFileName().toString().startsWith(UNFINISHED)) {
          removeTree(path);
        }
      }
    }
  }

  private void removeOld(String published) throws IOException {
    List<String> others = versions().stream().filter(held -> !held.equals(published)).toList();
    remove(others.subList(0, Math.max(0, others.size() - (keep - 1))));
  }

  private void remove(List<String> versions) throws IOException {
    for (String version : versions) {
      // Renamed first, so that a version that is there is whole at every moment.
      Path doomed = directory.resolve(UNFINISHED + "old-" + version);
      Files.move(directory.resolve(version), doomed, StandardCopyOption.ATOMIC_MOVE);
      removeTree(doomed);
    }
  }

  private static void force(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        forceOne(file, StandardOpenOption.WRITE);
      }
    }
    forceOne(folder, StandardOpenOption.READ);
  }

  private static void forceOne(Path path, StandardOpenOption mode) throws IOException {
    try (FileChannel channel = FileChannel.open(path, mode)) {
      channel.force(true);
    }
  }

  private static void removeTree(Path root) throws IOException {
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
