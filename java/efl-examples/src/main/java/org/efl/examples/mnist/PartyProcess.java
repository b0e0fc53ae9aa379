package org.efl.examples.mnist;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A party as a process of its own that is killed and started again, with the same command. */
final class PartyProcess {
  /** What the exit value of a killed process is, and of one that ended with an error. */
  static final int KILLED = 128 + 9;

  static final int FAILED = 1;

  private final String name;
  private final List<String> command;
  private final Path checkpoints;
  private final Path log;
  private FileTime started = FileTime.fromMillis(0);
  private long logged;
  private Process process;
  private boolean ended;

  /**
   * Prepares a party; nothing is started yet.
   *
   * @param name leader or follower
   * @param disk where the folder of its checkpoints is
   * @param folder where its log goes
   * @param options of its command, without the checkpoints
   */
  PartyProcess(String name, Path disk, Path folder, List<String> options) {
    this.name = name;
    checkpoints = disk.resolve(name);
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
    logged = Files.exists(log) ? Files.size(log) : 0;
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    // What the system says is looked for in its log.
    builder.environment().put("LC_ALL", "C.UTF-8");
    process = builder.start();
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

  /** Whether it has said, since it was started, that its disk is full, and what helps. */
  boolean saidThatItsDiskIsFull() throws IOException {
    byte[] all = Files.readAllBytes(log);
    int from = (int) Math.min(logged, all.length);
    String said = new String(all, from, all.length - from, StandardCharsets.UTF_8);
    return said.contains("No space left on device")
        && said.contains("make room in " + checkpoints + " and start this party again");
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
