package org.efl.examples.mnist;

import picocli.CommandLine.Option;

/** How long whoever reads the labels trains. */
final class EpochsOption {
  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "5",
      description = "How often to go through the training data (default: ${DEFAULT-VALUE}).")
  int epochs;
}
