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

/**
 * Checkpoints on disk: one folder per version, named by it. A folder appears under its name only
 * when it is complete and on disk, by a rename; what a crash leaves behind has another name and is
 * removed at the next save.
 */
final class CheckpointStore {
  private static final Pattern VERSION = Pattern.compile("0|[1-9][0-9]{0,17}");
  private static final String UNFINISHED = ".unfinished-";
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
          .filter(name -> VERSION.matcher(name).matches())
          .filter(name -> Files.isRegularFile(directory.resolve(name).resolve("variables.index")))
          .sorted(Comparator.comparingLong(Long::parseLong))
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
      removeOld();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot save checkpoint " + version + " in " + directory, e);
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

  private void removeOld() throws IOException {
    List<String> versions = versions();
    for (String version : versions.subList(0, Math.max(0, versions.size() - keep))) {
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
