package org.efl.benchmarks.systems;

import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What both ends of a system are told; the same to both but for the ports. */
final class ChildOptions {
  @Parameters(paramLabel = "SYSTEM", description = "${COMPLETION-CANDIDATES}")
  ChildSystem system;

  @Option(
      names = "--port",
      required = true,
      paramLabel = "PORT",
      description = "Where the serving end listens.")
  int port;

  @Option(
      names = "--peer-port",
      paramLabel = "PORT",
      description = "Where the driving end listens, in systems whose ends both do.")
  int peerPort;

  @Option(
      names = "--dial-port",
      paramLabel = "PORT",
      description = "What to dial instead of the port that the other end listens on.")
  Optional<Integer> dialPort;

  @Option(
      names = "--case",
      required = true,
      paramLabel = "CASE",
      description = "${COMPLETION-CANDIDATES}")
  ChildCase childCase;

  @Option(
      names = "--tls",
      paramLabel = "DIR",
      description = "What scripts/certs has made; the serving end is leader.")
  Optional<Path> tls;

  @Option(names = "--bytes", defaultValue = "67108864", description = "Of one tensor.")
  int bytes;

  @Option(
      names = "--count",
      defaultValue = "16",
      description = "Tensors or steps of a repetition, or round trips.")
  int count;

  @Option(
      names = "--warm",
      defaultValue = "1000",
      description = "Round trips before those that are timed.")
  int warm;

  @Option(names = "--reps", defaultValue = "5", description = "Repetitions that are timed.")
  int reps;

  @Option(
      names = "--in-flight",
      defaultValue = "2",
      description = "Tensors under way at once, at most.")
  int inFlight;

  @Option(names = "--names", defaultValue = "10", description = "Names of tensors.")
  int names;

  @Option(names = "--total", defaultValue = "20000", description = "Tensors of all names.")
  int total;

  /** Elements of one tensor. */
  int size() {
    return bytes / Float.BYTES;
  }
}
