package org.efl.examples.mnist;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A party as a process of its own that is killed and started again, with the same command. */
final class PartyProcess {
  /** What the exit value of a killed process is. */
  static final int KILLED = 128 + 9;

  private final String name;
  private final List<String> command;
  private final Path checkpoints;
  private final Path log;
  private FileTime started = FileTime.fromMillis(0);
  private Process process;
  private boolean ended;

  /**
   * Prepares a party; nothing is started yet.
   *
   * @param name leader or follower
   * @param folder where its checkpoints and its log go
   * @param options of its command, without those two
   */
  PartyProcess(String name, Path folder, List<String> options) {
    this.name = name;
    checkpoints = folder.resolve(name);
    log = folder.resolve(name + ".log");
    command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Where this process unpacks native libraries; "" is nowhere, which JavaCPP has a default for.
    command.add(
        "-Dorg.bytedeco.javacpp.cachedir="
            + System.getProperty("org.bytedeco.javacpp.cachedir", ""));
    // It is started often, and never runs for long.
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Mnist.class.getName()));
    command.add(name);
    command.addAll(options);
    command.addAll(List.of("--checkpoints", checkpoints.toString()));
    // It doesn't outlive who started it.
    Runtime.getRuntime().addShutdownHook(new Thread(this::end));
  }

  private synchronized void end() {
    ended = true;
    if (process != null) {
      process.destroyForcibly();
    }
  }

  synchronized void start() throws IOException {
    if (ended) {
      return;
    }
    started = FileTime.from(Instant.now());
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
  }

  /** As kill -9 does; returns when the process is gone. */
  void kill() throws InterruptedException {
    if (process != null) {
      process.destroyForcibly().waitFor();
    }
  }

  boolean runs() {
    return process != null && process.isAlive();
  }

  /** Whether it has ended by itself, and well. */
  boolean done() {
    return process != null && !process.isAlive() && process.exitValue() == 0;
  }

  int exitValue() {
    return process.exitValue();
  }

  /** Whether it writes a checkpoint; one that a kill has left unfinished isn't written any more. */
  boolean isSaving() {
    return names().stream().anyMatch(name -> name.startsWith(".") && isNew(name));
  }

  private boolean isNew(String name) {
    try {
      return Files.getLastModifiedTime(checkpoints.resolve(name)).compareTo(started) > 0;
    } catch (IOException e) {
      return false; // It has just got its final name, or gone.
    }
  }

  boolean hasSaved(long step) {
    return Files.isDirectory(checkpoints.resolve(Long.toString(step)));
  }

  /** The steps of its newest checkpoint, -1 for none. */
  long saved() {
    return names().stream()
        .filter(name -> name.matches("[0-9]+"))
        .mapToLong(Long::parseLong)
        .max()
        .orElse(-1);
  }

  private List<String> names() {
    try (Stream<Path> entries = Files.list(checkpoints)) {
      return entries.map(path -> path.getFileName().toString()).toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of(); // Not there yet, or being written to.
    }
  }

  String name() {
    return name;
  }

  Path checkpoints() {
    return checkpoints;
  }

  Path log() {
    return log;
  }
}
