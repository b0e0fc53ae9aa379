package org.efl.examples.mnist;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;
import org.efl.communicator.Role;
import org.efl.tensorflow.AlreadyTrainedException;
import org.efl.tensorflow.Communicator;
import org.efl.tensorflow.Recovery;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a party is told of itself and its peer, and how it runs. */
final class PartyOptions {
  private static final Logger logger = LoggerFactory.getLogger(PartyOptions.class);

  @Mixin private CommonOptions common;

  @Option(
      names = "--local",
      required = true,
      paramLabel = "HOST:PORT",
      description = "Where this party listens.")
  private String local;

  @Option(
      names = "--peer",
      required = true,
      paramLabel = "HOST:PORT",
      description = "Where the other party listens.")
  private String peer;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "600",
      description =
          "How long to wait for the peer, at the start and when it was lost"
              + " (default: ${DEFAULT-VALUE}).")
  private long timeoutSeconds;

  @Option(
      names = "--checkpoints",
      paramLabel = "DIR",
      description =
          "Where this party keeps its checkpoints, from which it goes on when it is started again;"
              + " without it, for this run only.")
  private Optional<Path> checkpoints;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "N",
      defaultValue = "100",
      description =
          "Steps between two checkpoints; 0: at the end only (default: ${DEFAULT-VALUE}).")
  private long checkpointEvery;

  /** One party's training. */
  interface Training {
    TrainingRecord run(PartySetup setup, Wire wire) throws IOException;
  }

  /** Listens, trains, and writes the record. Meant to be called once in a process. */
  void run(Role role, Training training) throws IOException {
    try (Communicator communicator = communicator(role)) {
      // After the communicator, which fails where it can't listen, and nothing is left behind.
      Path kept = checkpoints.isPresent() ? checkpoints.get() : Files.createTempDirectory("mnist-");
      atExit(communicator, kept);
      PartySetup setup =
          new PartySetup(
              communicator,
              common.data,
              kept,
              checkpointEvery,
              Recovery.upTo(Duration.ofSeconds(timeoutSeconds)),
              common.hyperparameters(),
              System.out);
      common.write(training.run(setup, wire()));
    } catch (AlreadyTrainedException e) {
      System.out.println(e.getMessage());
    }
  }

  private Communicator communicator(Role role) {
    return Communicator.builder()
        .federalRole(role)
        .localAddress(local)
        .peerAddress(peer)
        .defaultTimeout(Duration.ofSeconds(timeoutSeconds))
        // Short, so that a short timeout is kept to.
        .scanningInterval(Duration.ofSeconds(Math.max(1, timeoutSeconds / 20)))
        .build();
  }

  /** A party that is told to stop tells its peer, and leaves nothing behind that nobody wants. */
  private void atExit(Communicator communicator, Path kept) {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  communicator.close();
                  if (checkpoints.isEmpty()) {
                    remove(kept);
                  }
                }));
  }

  private static Wire wire() {
    return Wire.of(
        environment("EFL_MY_CERTS_FILENAME"),
        environment("EFL_MY_KEY_FILENAME"),
        environment("EFL_PEER_CERTS_FILENAME"),
        environment("EFL_SSL_CLIENT_AUTH"));
  }

  private static String environment(String variable) {
    return System.getenv().getOrDefault(variable, "");
  }

  static void remove(Path directory) {
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException | UncheckedIOException e) {
      logger.warn("Could not remove {}: {}", directory, e.toString());
    }
  }
}
