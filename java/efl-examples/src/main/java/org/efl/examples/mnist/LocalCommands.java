package org.efl.examples.mnist;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The trainings in one process, to compare with. */
final class LocalCommands {
  private LocalCommands() {}

  /** What both are told. */
  static final class Options {
    @Mixin private CommonOptions common;

    @Mixin private EpochsOption length;
  }

  @Command(
      name = "pooled",
      mixinStandardHelpOptions = true,
      description = "Trains the same network in one process on all columns.")
  static final class Pooled implements Callable<Integer> {
    @Mixin private Options options;

    @Override
    public Integer call() throws IOException {
      CommonOptions common = options.common;
      common.write(
          LocalTraining.pooled(
              common.data, options.length.epochs, common.hyperparameters(), System.out));
      return 0;
    }
  }

  @Command(
      name = "leader-only",
      mixinStandardHelpOptions = true,
      description = "Trains the leader's part of the network on the leader's columns alone.")
  static final class LeaderOnly implements Callable<Integer> {
    @Mixin private Options options;

    @Override
    public Integer call() throws IOException {
      CommonOptions common = options.common;
      common.write(
          LocalTraining.leaderOnly(
              common.data, options.length.epochs, common.hyperparameters(), System.out));
      return 0;
    }
  }
}
