package org.efl.benchmarks.suite;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;
import tools.jackson.databind.JsonNode;

/** Runs scenarios: in each, the systems have their turns one after the other, round after round. */
final class Suite {
  private final Map<String, MeasuredSystem> systems;
  private final Stage stage;
  private final Instant end;
  private final PrintStream out;
  private final Results results = new Results();
  private final Set<String> said = new LinkedHashSet<>();
  private int failures;

  /**
   * Makes a suite.
   *
   * @param budget after which no turn begins
   */
  Suite(Map<String, MeasuredSystem> systems, Stage stage, Duration budget, PrintStream out) {
    this.systems = systems;
    this.stage = stage;
    this.end = Instant.now().plus(budget);
    this.out = out;
  }

  Results results() {
    return results;
  }

  /** Turns that failed. */
  int failures() {
    return failures;
  }

  /**
   * Measures one scenario.
   *
   * @param wanted the cases and systems of it to be measured
   */
  void run(Scenario scenario, BiPredicate<String, String> wanted) throws InterruptedException {
    Map<String, Map<String, List<Double>>> samples = new LinkedHashMap<>();
    for (String system : wantedSystems(scenario, wanted)) {
      samples.put(system, new LinkedHashMap<>());
    }
    for (int round = 0; round < scenario.rounds(); round++) {
      for (Map.Entry<String, Map<String, List<Double>>> system : samples.entrySet()) {
        turn(scenario, systems.get(system.getKey()), system.getValue());
      }
    }
    for (String caseName : scenario.figures().values()) {
      samples.forEach((system, cases) -> report(scenario, caseName, system, cases));
    }
  }

  private List<String> wantedSystems(Scenario scenario, BiPredicate<String, String> wanted) {
    List<String> names = new ArrayList<>();
    for (String name : scenario.systems()) {
      if (scenario.figures().values().stream().anyMatch(c -> wanted.test(c, name))) {
        MeasuredSystem system = systems.get(name);
        if (system.missing().isEmpty()) {
          names.add(name);
        } else if (said.add(name)) {
          out.println("left out: " + name + ", " + system.missing().get());
        }
      }
    }
    return names;
  }

  private void turn(Scenario scenario, MeasuredSystem system, Map<String, List<Double>> samples)
      throws InterruptedException {
    String what = scenario.figures().values().iterator().next() + " " + system.name();
    if (Instant.now().isAfter(end)) {
      out.println("left out: " + what + ", the time is over");
      return;
    }
    try {
      JsonNode fields = stage.measure(system, scenario);
      for (Map.Entry<String, String> figure : scenario.figures().entrySet()) {
        JsonNode value = fields.get(figure.getKey());
        if (value == null) {
          throw new IOException("There is no " + figure.getKey() + " in " + fields);
        }
        samples.computeIfAbsent(figure.getValue(), c -> new ArrayList<>()).add(value.asDouble());
      }
    } catch (IOException e) {
      failures++;
      out.println("failed: " + what + ": " + e.getMessage());
    }
  }

  private void report(
      Scenario scenario, String caseName, String system, Map<String, List<Double>> cases) {
    List<Double> samples = cases.get(caseName);
    if (samples != null) {
      Result result = Result.of(caseName, system, scenario.unit(), samples);
      results.add(result);
      out.printf(
          Locale.ROOT,
          "%-26s %-12s %10s %-8s %s%n",
          caseName,
          system,
          Markdown.number(result.value()),
          result.unit(),
          samples.size() == 1
              ? ""
              : Markdown.number(result.min()) + "–" + Markdown.number(result.max()));
    }
  }
}
