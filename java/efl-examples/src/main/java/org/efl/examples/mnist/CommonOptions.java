package org.efl.examples.mnist;

import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What every training is told. */
final class CommonOptions {
  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description = "Where leader_train, follower_train, leader_test, follower_test are.")
  Path data;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "256",
      description = "Samples of a step (default: ${DEFAULT-VALUE}); the same at both parties.")
  private int batchSize;

  @Option(
      names = "--learning-rate",
      paramLabel = "RATE",
      defaultValue = "0.5",
      description = "Of the gradient descent (default: ${DEFAULT-VALUE}).")
  private float learningRate;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of the initial weights (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Writes what was trained: steps, losses, accuracy.")
  private Optional<Path> json;

  Hyperparameters hyperparameters() {
    return new Hyperparameters(batchSize, learningRate, seed);
  }

  void write(TrainingRecord record) {
    json.ifPresent(file -> Json.write(file, record));
  }
}
