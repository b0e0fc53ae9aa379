package org.efl.examples.mnist;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.efl.communicator.Role;
import org.efl.communicator.TlsOptions;
import org.efl.tensorflow.Communicator;
import org.efl.tensorflow.Recovery;

/**
 * A leader and a follower in this JVM, each on a thread of its own, over the loopback interface.
 */
final class Pair {
  static final PrintStream SILENT =
      new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

  private final Path leaderData;
  private final Path followerData;
  private final Path checkpoints;
  private final Hyperparameters parameters;
  private long checkpointEvery;
  private String[] addresses;

  Pair(Path leaderData, Path followerData, Path checkpoints, Hyperparameters parameters) {
    this.leaderData = leaderData;
    this.followerData = followerData;
    this.checkpoints = checkpoints;
    this.parameters = parameters;
  }

  Pair checkpointEvery(long steps) {
    checkpointEvery = steps;
    return this;
  }

  /** How one party's training ended: one of the two is null. */
  record Outcome(TrainingRecord record, Throwable failure) {}

  record Outcomes(Outcome leader, Outcome follower) {
    /** The leader's record, when both parties got through. */
    TrainingRecord trained() {
      for (Outcome outcome : new Outcome[] {leader, follower}) {
        if (outcome.failure() != null) {
          throw new AssertionError("a party failed", outcome.failure());
        }
      }
      return leader.record();
    }
  }

  Outcomes run(int epochs) throws IOException {
    addresses = FreePortsCommand.addresses();
    CompletableFuture<TrainingRecord> leader =
        start(
            () -> {
              try (Communicator communicator = communicator(Role.LEADER)) {
                return new Leader(setup(communicator, leaderData, "leader"))
                    .run(epochs, Wire.PLAINTEXT);
              }
            });
    CompletableFuture<TrainingRecord> follower =
        start(
            () -> {
              try (Communicator communicator = communicator(Role.FOLLOWER)) {
                return new Follower(setup(communicator, followerData, "follower"))
                    .run(Wire.PLAINTEXT);
              }
            });
    return new Outcomes(outcome(leader), outcome(follower));
  }

  private static CompletableFuture<TrainingRecord> start(Callable<TrainingRecord> party) {
    CompletableFuture<TrainingRecord> done = new CompletableFuture<>();
    new Thread(
            () -> {
              try {
                done.complete(party.call());
              } catch (Throwable e) {
                done.completeExceptionally(e);
              }
            })
        .start();
    return done;
  }

  private static Outcome outcome(CompletableFuture<TrainingRecord> party) {
    try {
      return new Outcome(party.join(), null);
    } catch (CompletionException e) {
      return new Outcome(null, e.getCause());
    }
  }

  private Communicator communicator(Role role) {
    boolean leader = role == Role.LEADER;
    return Communicator.builder()
        .federalRole(role)
        .localAddress(addresses[leader ? 0 : 1])
        .peerAddress(addresses[leader ? 1 : 0])
        .defaultTimeout(Duration.ofSeconds(60))
        .scanningInterval(Duration.ofSeconds(1))
        .tls(TlsOptions.none())
        .build();
  }

  private PartySetup setup(Communicator communicator, Path data, String name) {
    return new PartySetup(
        communicator,
        data,
        checkpoints.resolve(name),
        checkpointEvery,
        Recovery.none(),
        parameters,
        SILENT);
  }
}
