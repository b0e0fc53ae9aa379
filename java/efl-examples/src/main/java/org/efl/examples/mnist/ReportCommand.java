package org.efl.examples.mnist;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description = "Compares the records of a pair, of pooled and of leader-only.")
final class ReportCommand implements Callable<Integer> {
  @Option(
      names = "--pair",
      required = true,
      paramLabel = "FILE",
      description = "What the leader wrote with --json.")
  private Path pair;

  @Option(
      names = "--follower",
      required = true,
      paramLabel = "FILE",
      description = "What the follower wrote with --json.")
  private Path follower;

  @Option(
      names = "--pooled",
      required = true,
      paramLabel = "FILE",
      description = "What pooled wrote with --json.")
  private Path pooled;

  @Option(
      names = "--leader-only",
      required = true,
      paramLabel = "FILE",
      description = "What leader-only wrote with --json.")
  private Path leaderOnly;

  @Option(names = "--json", paramLabel = "FILE", description = "Writes the figures.")
  private Optional<Path> json;

  @Override
  public Integer call() {
    TrainingRecord trained = Json.read(pair, TrainingRecord.class);
    Report report =
        Report.of(
            trained,
            Json.read(follower, TrainingRecord.class),
            Json.read(pooled, TrainingRecord.class),
            Json.read(leaderOnly, TrainingRecord.class));
    json.ifPresent(file -> Json.write(file, report));
    System.out.println(report.line(trained.wire()));
    return 0;
  }
}
