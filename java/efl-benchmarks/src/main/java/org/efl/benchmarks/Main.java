package org.efl.benchmarks;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.efl.benchmarks.suite.SuiteCommand;
import org.efl.benchmarks.systems.DriveCommand;
import org.efl.benchmarks.systems.ServeCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParseResult;

/** The program: the suite, and the ends of the systems that it starts as processes. */
@Command(
    name = "benchmarks",
    mixinStandardHelpOptions = true,
    description = "Measures the communicator and its peers on this machine.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {SuiteCommand.class, ServeCommand.class, DriveCommand.class})
public final class Main {
  private Main() {}

  /** Runs one command and ends the process: 0 when it is done, 1 when something failed. */
  public static void main(String[] args) {
    System.exit(
        new CommandLine(new Main())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setExecutionExceptionHandler(Main::explain)
            .execute(args));
  }

  private static int explain(Exception failure, CommandLine command, ParseResult parsed) {
    Throwable reason = failure;
    while (reason.getCause() != null
        && (reason instanceof CompletionException || reason instanceof ExecutionException)) {
      reason = reason.getCause();
    }
    command.getErr().println("benchmarks " + command.getCommandName() + ": " + reason);
    if (System.getenv("BENCH_DEBUG") != null) {
      failure.printStackTrace(command.getErr());
    }
    return 1;
  }
}
