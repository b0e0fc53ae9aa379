package org.efl.examples.mnist;

import java.io.IOException;
import org.efl.communicator.CommunicatorException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParseResult;

/** The program: one command for each part that can run on its own. */
@Command(
    name = "mnist",
    mixinStandardHelpOptions = true,
    description = "Trains the vertical MNIST split between two parties.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      PrepareCommand.class,
      LeaderCommand.class,
      FollowerCommand.class,
      LocalCommands.Pooled.class,
      LocalCommands.LeaderOnly.class,
      ReportCommand.class,
      ChaosCommand.class,
      FreePortsCommand.class
    })
public final class Mnist {
  private Mnist() {}

  /** Runs one command and ends the process with what {@link #run} says. */
  public static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs one command: 0 when it is done, 1 when something failed, 2 on wrong usage. */
  static int run(String... args) {
    return new CommandLine(new Mnist()).setExecutionExceptionHandler(Mnist::explain).execute(args);
  }

  private static int explain(Exception failure, CommandLine command, ParseResult parsed) {
    command.getErr().println("mnist " + command.getCommandName() + ": " + reason(failure));
    if (System.getenv("MNIST_DEBUG") != null) {
      failure.printStackTrace(command.getErr());
    }
    return 1;
  }

  /** Failures that say by themselves what is wrong need no type in front. */
  private static String reason(Exception failure) {
    boolean clear =
        failure instanceof CommunicatorException
            || failure instanceof SampleMismatchException
            || failure.getClass() == IOException.class
            || failure instanceof IllegalArgumentException;
    return clear ? failure.getMessage() : failure.toString();
  }
}
