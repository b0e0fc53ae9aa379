package org.efl.examples.mnist;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import org.efl.examples.data.DigitGenerator;
import org.efl.examples.data.VerticalSplit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "chaos",
    mixinStandardHelpOptions = true,
    description = {
      "Trains small pairs of processes that are killed at random moments (kill -9) and started"
          + " again, and compares their models with an undisturbed pair's.",
      "With --disk, that disk is filled up now and then, so that no checkpoint can be written.",
      "Fails when a model differs, a training hangs, or a party fails. Its folder stays then."
    })
final class ChaosCommand implements Callable<Integer> {
  private static final int IMAGES = 1500;
  private static final int FILES = 3;
  private static final int KILLS_PER_RUN = 10;

  @Option(
      names = "--kills",
      paramLabel = "N",
      defaultValue = "50",
      description = "How often to kill (default: ${DEFAULT-VALUE}).")
  private int kills;

  @Option(
      names = "--minutes",
      paramLabel = "M",
      description = "Begins no other training after this time, whatever is left of the kills.")
  private Optional<Double> minutes;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Of the random moments; without it, a new one, which is printed.")
  private Optional<Long> seed;

  @Option(
      names = "--disk",
      paramLabel = "FOLDER",
      description =
          "Where checkpoints are kept: a small disk of their own, such as a tmpfs of 32 MiB.")
  private Optional<Path> disk;

  @Option(names = "--json", paramLabel = "FILE", description = "Writes what came of it.")
  private Optional<Path> json;

  private final PrintStream out = System.out;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Optional<SmallDisk> small = smallDisk();
    Path folder = Files.createTempDirectory("mnist-chaos-");
    long chosen = seed.orElseGet(() -> new Random().nextInt(Integer.MAX_VALUE) + 0L);
    out.println("seed " + chosen + ", folder " + folder);
    ChaosReport report = run(folder, small, chosen);
    json.ifPresent(file -> Json.write(file, report));
    out.printf(
        "%d kills and %d full disks in %d runs: models %s, %d hangs, %d failures%n",
        report.kills(),
        report.fullDisks(),
        report.runs(),
        report.modelIdentical() ? "identical" : "DIFFER",
        report.hangs(),
        report.failures().size());
    boolean neverFull = small.isPresent() && report.fullDisks() == 0;
    if (neverFull) {
      out.println("no party has ended because its disk was full, which is what --disk asks for");
    }
    boolean good = report.good() && !neverFull;
    if (good) {
      PartyOptions.remove(folder);
    }
    return good ? 0 : 1;
  }

  private Optional<SmallDisk> smallDisk() throws IOException {
    return disk.isPresent() ? Optional.of(new SmallDisk(disk.get())) : Optional.empty();
  }

  private ChaosReport run(Path folder, Optional<SmallDisk> small, long chosen)
      throws IOException, InterruptedException {
    long end = minutes.map(m -> System.nanoTime() + nanos(m)).orElse(Long.MAX_VALUE);
    Random random = new Random(chosen);
    Path data = folder.resolve("data");
    VerticalSplit.write(DigitGenerator.draw(IMAGES, 1), data, FILES);
    ChaosRun.Outcome undisturbed =
        start(data, folder.resolve("undisturbed"), Optional.empty(), random).run(0, 0, false);
    long steps = undisturbed.steps();
    int killed = 0;
    int fullDisks = 0;
    int runs = 0;
    int hangs = undisturbed.hung() ? 1 : 0;
    boolean identical = undisturbed.sameModels(undisturbed);
    List<String> failures = new ArrayList<>(undisturbed.failures());
    do {
      ChaosRun run = start(data, folder.resolve("run-" + ++runs), small, random);
      ChaosRun.Outcome outcome =
          run.run(Math.min(KILLS_PER_RUN, kills - killed), steps, fullDisks == 0);
      killed += outcome.kills();
      fullDisks += outcome.fullDisks();
      hangs += outcome.hung() ? 1 : 0;
      identical &= outcome.sameModels(undisturbed);
      failures.addAll(outcome.failures());
      run.leaveDisk(/* keep= */ hangs > 0 || !identical || !failures.isEmpty());
    } while (killed < kills && System.nanoTime() < end);
    return new ChaosReport(
        chosen,
        runs,
        killed,
        fullDisks,
        identical,
        hangs,
        failures,
        undisturbed.leaderModel(),
        undisturbed.followerModel());
  }

  private ChaosRun start(Path data, Path folder, Optional<SmallDisk> small, Random random)
      throws IOException {
    return new ChaosRun(data, folder, small, FreePortsCommand.addresses(), random, out);
  }

  private static long nanos(double minutes) {
    return (long) (minutes * Duration.ofMinutes(1).toNanos());
  }
}
