package org.efl.benchmarks.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.efl.benchmarks.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class ResultsTest {
  private static final Machine MACHINE =
      new Machine(
          "A processor", 2, 23, "6.1", "A VM 17", "as it comes", "cubic", "abc1234", "2026-01-31");

  @TempDir private Path directory;

  private static Results results() {
    Results results = new Results();
    results.add(Result.of("throughput_plain", "efl-op", "GB/s", List.of(3.0, 1.0, 2.0)));
    results.add(Result.of("throughput_plain", "grpc-java", "GB/s", List.of(1.0)));
    results.add(Result.of("roundtrip_p50_64b_plain", "efl-op", "µs", List.of(50.0)));
    results.add(Result.of("roundtrip_p50_64b_plain", "grpc-java", "µs", List.of(125.0)));
    results.add(Result.of("memory_4gib_sender", "efl-cpp", "MiB", List.of(4100.0)));
    return results;
  }

  @Test
  void shouldTakeTheMedianOfTheRounds() {
    Result result = results().find("throughput_plain", "efl-op").orElseThrow();
    assertEquals(2, result.value());
    assertEquals(1, result.min());
    assertEquals(3, result.max());
    assertEquals(List.of(3.0, 1.0, 2.0), result.samples());
  }

  @Test
  void shouldSayHowManyTimesBetterWhateverTheUnit() {
    Results results = results();
    assertEquals(2, results.ratio("throughput_plain", "efl-op", "grpc-java").orElseThrow());
    assertEquals(
        2.5, results.ratio("roundtrip_p50_64b_plain", "efl-op", "grpc-java").orElseThrow());
  }

  @Test
  void shouldHaveNoRatioToWhatWasNotMeasured() {
    assertTrue(results().ratio("throughput_plain", "efl-op", "grpc-cpp").isEmpty());
    assertTrue(results().ratio("memory_4gib_sender", "efl-op", "efl-cpp").isEmpty());
  }

  @Test
  void shouldWriteJsonAsAListOfFigures() throws Exception {
    Path file = directory.resolve("results.json");
    Json.write(file, results().all());
    JsonNode list = Json.parse(Files.readString(file));
    assertEquals(5, list.size());
    JsonNode first = list.get(0);
    assertEquals("throughput_plain", first.get("case").asString());
    assertEquals("efl-op", first.get("system").asString());
    assertEquals(2, first.get("value").asDouble());
    assertEquals("GB/s", first.get("unit").asString());
    assertEquals(3, first.get("samples").size());
  }

  @Test
  void shouldWriteMediansAndRatiosAsMarkdown() {
    List<String> lines = Markdown.page(results(), MACHINE, List.of("far.svg")).lines().toList();
    assertTrue(lines.contains("- processor: A processor, 2 cores"));
    assertTrue(lines.contains("- commit: abc1234"));
    assertTrue(lines.contains("| throughput_plain | efl-op | 2.00 (1.00–3.00) | GB/s |"));
    assertTrue(lines.contains("| memory_4gib_sender | efl-cpp | 4100 | MiB |"));
    assertTrue(
        lines.contains(
            "| case | efl-trainer | grpc-cpp | grpc-cpp-land | grpc-java | flight-java | tcp |"
                + " iperf3 |"));
    assertTrue(lines.contains("| throughput_plain |  |  |  | 2.00 |  |  |  |"));
    assertTrue(lines.contains("| roundtrip_p50_64b_plain |  |  |  | 2.50 |  |  |  |"));
    assertTrue(lines.stream().noneMatch(line -> line.startsWith("| memory_4gib_sender |  |")));
    assertTrue(lines.contains("![far.svg](far.svg)"));
  }

  @Test
  void shouldWritePlotsOfWhatThereIs() throws Exception {
    assertEquals(
        List.of("throughput.svg", "roundtrip-plain.svg"), Plots.write(results(), directory));
    String svg = Files.readString(directory.resolve("throughput.svg"));
    assertTrue(svg.contains("<svg"));
    assertTrue(svg.contains("<path"));
  }
}
