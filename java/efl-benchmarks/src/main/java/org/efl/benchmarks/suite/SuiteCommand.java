package org.efl.benchmarks.suite;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.efl.benchmarks.Json;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures everything; what scripts/bench runs. */
@Command(name = "suite", description = "Measures the systems, and writes what came of it.")
public final class SuiteCommand implements Callable<Integer> {
  private static final Duration QUICK_BUDGET = Duration.ofSeconds(265);
  private static final int QUICK_LIMIT_S = 30;
  private static final int LIMIT_S = 300;

  @Option(names = "--quick", description = "Each once and in small, less than five minutes.")
  private boolean quick;

  @Option(names = "--json", paramLabel = "FILE", description = "Where the figures go.")
  private Optional<Path> json;

  @Option(
      names = "--only",
      paramLabel = "PATTERN",
      description = "A regular expression, searched for in case/system.")
  private Optional<Pattern> only;

  @Option(names = "--native", required = true, paramLabel = "FILE", description = "efl_bench.")
  private Path nativeProgram;

  @Option(
      names = "--certs",
      required = true,
      paramLabel = "DIR",
      description = "What scripts/certs has made.")
  private Path certificates;

  @Option(names = "--commit", defaultValue = "unknown", description = "Of what is measured.")
  private String commit;

  @Option(
      names = "--docs",
      paramLabel = "DIR",
      description = "Where results.json, results.md and the plots go.")
  private Optional<Path> docs;

  @Override
  public Integer call() throws Exception {
    Stage stage = new Stage(nativeProgram, certificates, quick ? QUICK_LIMIT_S : LIMIT_S);
    Duration budget = quick ? QUICK_BUDGET : Duration.ofDays(1);
    Suite suite = new Suite(Systems.all(nativeProgram), stage, budget, System.out);
    boolean proxy = Files.isExecutable(nativeProgram);
    for (Scenario scenario : Scenarios.all(quick)) {
      if (scenario.delayMs() == 0 || proxy) {
        suite.run(scenario, this::isWanted);
      } else {
        System.out.println("left out: " + scenario.figures().values() + ", there is no proxy");
      }
    }
    if (suite.results().all().isEmpty() && suite.failures() == 0) {
      System.err.println(
          "bench: nothing was measured: --only "
              + only.map(Pattern::pattern).orElse("")
              + " fits no case/system of a system that is there, such as throughput_plain/efl-cpp");
      return CommandLine.ExitCode.USAGE;
    }
    write(suite.results());
    return suite.failures() == 0 ? 0 : 1;
  }

  private boolean isWanted(String caseName, String system) {
    return only.isEmpty() || only.get().matcher(caseName + "/" + system).find();
  }

  private void write(Results results) throws IOException {
    json.ifPresent(file -> Json.write(file, results.all()));
    if (docs.isPresent()) {
      Path directory = docs.get();
      Files.createDirectories(directory);
      Json.write(directory.resolve("results.json"), results.all());
      List<String> plots = Plots.write(results, directory);
      String page = Markdown.page(results, Machine.here(commit), plots);
      Files.writeString(directory.resolve("results.md"), page);
    }
  }
}
