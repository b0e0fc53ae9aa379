package org.efl.benchmarks.suite;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/** The results as a page. */
final class Markdown {
  private static final String OWN = "efl-op";
  private static final List<String> COMPARED =
      List.of(
          "efl-trainer", "grpc-cpp", "grpc-cpp-land", "grpc-java", "flight-java", "tcp", "iperf3");

  private Markdown() {}

  static String page(Results results, Machine machine, List<String> plots) {
    List<String> lines = new ArrayList<>();
    lines.add("# Results");
    lines.add("");
    lines.add("Written by `scripts/bench`; [README.md](README.md) says what each case is.");
    lines.add("");
    machine.lines().forEach(line -> lines.add("- " + line));
    lines.add("");
    addValues(lines, results);
    addRatios(lines, results);
    plots.forEach(plot -> lines.add("![" + plot + "](" + plot + ")"));
    return String.join("\n", lines) + "\n";
  }

  private static void addValues(List<String> lines, Results results) {
    lines.add("## Medians");
    lines.add("");
    lines.add("In parentheses the smallest and the largest of the rounds.");
    lines.add("");
    lines.add("| case | system | median | unit |");
    lines.add("| --- | --- | ---: | --- |");
    for (Result result : results.all()) {
      lines.add(row(result.caseName(), result.system(), valueAndRange(result), result.unit()));
    }
    lines.add("");
  }

  private static String valueAndRange(Result result) {
    return result.samples().size() == 1
        ? number(result.value())
        : number(result.value()) + " (" + number(result.min()) + "–" + number(result.max()) + ")";
  }

  private static void addRatios(List<String> lines, Results results) {
    lines.add("## Ratios");
    lines.add("");
    lines.add("How many times better `" + OWN + "` is than another system.");
    lines.add("");
    lines.add("| case | " + String.join(" | ", COMPARED) + " |");
    lines.add("| --- |" + " ---: |".repeat(COMPARED.size()));
    for (String caseName : results.cases()) {
      List<String> cells = ratios(results, caseName);
      if (cells.stream().anyMatch(cell -> !cell.isEmpty())) {
        lines.add("| " + caseName + " | " + String.join(" | ", cells) + " |");
      }
    }
    lines.add("");
  }

  private static List<String> ratios(Results results, String caseName) {
    return COMPARED.stream()
        .map(other -> results.ratio(caseName, OWN, other))
        .map(Markdown::ratio)
        .collect(Collectors.toList());
  }

  private static String ratio(OptionalDouble ratio) {
    return ratio.isPresent() ? String.format(Locale.ROOT, "%.2f", ratio.getAsDouble()) : "";
  }

  private static String row(String... cells) {
    return "| " + String.join(" | ", cells) + " |";
  }

  /** Three digits that matter. */
  static String number(double value) {
    int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }
}
