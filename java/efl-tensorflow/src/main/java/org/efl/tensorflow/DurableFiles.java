package org.efl.tensorflow;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** What checkpoints need of a file system: to be on disk, to appear and to go as a whole. */
final class DurableFiles {
  private DurableFiles() {}

  /** What is in a folder. */
  static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.toList();
    }
  }

  /** Creates a folder, and those that it lies in, and has them on disk. */
  static void createFolders(Path folder) throws IOException {
    List<Path> parents = new ArrayList<>();
    for (Path next = folder.toAbsolutePath(); !Files.isDirectory(next); next = next.getParent()) {
      parents.add(next.getParent());
    }
    Files.createDirectories(folder);
    for (Path parent : parents) {
      forceFolder(parent);
    }
  }

  /** Has the files of a folder, and then the folder, on disk. */
  static void forceAll(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        forceFile(file);
      }
    }
    forceFolder(folder);
  }

  static void forceFile(Path file) throws IOException {
    force(file, StandardOpenOption.WRITE);
  }

  /** So that what was renamed in it stays so. */
  static void forceFolder(Path folder) throws IOException {
    force(folder, StandardOpenOption.READ);
  }

  /** Java lets an interrupt end this. It comes afterwards instead: what was begun is kept. */
  private static void force(Path path, StandardOpenOption mode) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try (FileChannel channel = FileChannel.open(path, mode)) {
          channel.force(true);
          return;
        } catch (ClosedByInterruptException e) {
          interrupted |= Thread.interrupted();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Renames within a file system, at once or not at all. */
  static void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
  }

  static void removeTree(Path root) throws IOException {
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
