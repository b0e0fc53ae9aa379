package org.efl.benchmarks.suite;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All that the suite measures. */
final class Scenarios {
  private static final List<String> ROUND_TRIPS =
      List.of(
          "efl-op", "efl-java", "efl-cpp", "efl-trainer", "grpc-cpp", "grpc-java", "flight-java");
  private static final List<String> STREAMS_WITH_TLS = and(ROUND_TRIPS, "grpc-cpp-land");
  private static final List<String> STREAMS = and(STREAMS_WITH_TLS, "tcp", "iperf3");
  private static final List<String> FAR =
      List.of("efl-op", "efl-java", "efl-cpp", "efl-trainer", "grpc-cpp", "grpc-cpp-land", "tcp");

  private static final int DELAY_MS = 25;
  private static final long KIB = 1 << 10;
  private static final long MIB = 1 << 20;

  private final boolean quick;
  private final List<Scenario> all = new ArrayList<>();

  private Scenarios(boolean quick) {
    this.quick = quick;
  }

  /** Quick: everything once, and in small. */
  static List<Scenario> all(boolean quick) {
    Scenarios scenarios = new Scenarios(quick);
    scenarios.addThroughput(false);
    scenarios.addThroughput(true);
    scenarios.addRoundTrips("4k", 4 * KIB, false, 3);
    scenarios.addRoundTrips("4k", 4 * KIB, true, 3);
    scenarios.addFar();
    scenarios.addSteps("steps_rtt0", 0, quick ? 200 : 500);
    scenarios.addSteps("steps_rtt50", DELAY_MS, quick ? 10 : 50);
    scenarios.addMemory();
    scenarios.addNames(10);
    scenarios.addNames(1000);
    scenarios.addNames(100000);
    scenarios.addRoundTrips("1m", MIB, false, 1);
    if (!quick) {
      scenarios.addRoundTrips("1m", MIB, true, 1);
      scenarios.addRoundTrips("64b", 64, false, 1);
      scenarios.addRoundTrips("64b", 64, true, 1);
      scenarios.addRoundTrips("64k", 64 * KIB, false, 1);
      scenarios.addRoundTrips("64k", 64 * KIB, true, 1);
    }
    return scenarios.all;
  }

  private long amount(long ofQuick, long ofFull) {
    return quick ? ofQuick : ofFull;
  }

  private int rounds(int ofFull) {
    return quick ? 1 : ofFull;
  }

  private void addThroughput(boolean tls) {
    all.add(
        new Scenario(
            Map.of("median", "throughput_" + security(tls)),
            "GB/s",
            "throughput",
            sizes("bytes", 64 * MIB, "count", amount(4, 16), "reps", amount(3, 5), "in-flight", 2),
            tls ? STREAMS_WITH_TLS : STREAMS,
            tls,
            0,
            rounds(3)));
  }

  private void addRoundTrips(String size, long bytes, boolean tls, int rounds) {
    boolean large = bytes == MIB;
    long count = large ? amount(200, 1000) : amount(1000, 5000);
    long warm = large ? amount(500, 3000) : amount(3000, 30000);
    Map<String, String> figures = new LinkedHashMap<>();
    for (String percentile : List.of("p50", "p99")) {
      figures.put(percentile + "_us", "roundtrip_" + percentile + "_" + size + "_" + security(tls));
    }
    all.add(
        new Scenario(
            figures,
            "µs",
            "roundtrip",
            sizes("bytes", bytes, "count", count, "warm", warm),
            ROUND_TRIPS,
            tls,
            0,
            rounds(rounds)));
  }

  private void addFar() {
    all.add(
        new Scenario(
            Map.of("median", "throughput_rtt50"),
            "GB/s",
            "one",
            sizes("bytes", amount(128 * MIB, KIB * MIB), "reps", 3),
            FAR,
            false,
            DELAY_MS,
            rounds(2)));
  }

  private void addSteps(String name, int delayMs, long count) {
    all.add(
        new Scenario(
            Map.of("median", name),
            "steps/s",
            "steps",
            sizes("count", count, "reps", amount(2, 5)),
            List.of("efl-op", "efl-trainer"),
            false,
            delayMs,
            rounds(2)));
  }

  private void addMemory() {
    Map<String, String> figures = new LinkedHashMap<>();
    figures.put("sender_mib", "memory_4gib_sender");
    figures.put("receiver_mib", "memory_4gib_receiver");
    all.add(
        new Scenario(
            figures,
            "MiB",
            "memory",
            sizes("bytes", 4 * KIB * MIB),
            List.of("efl-cpp"),
            false,
            0,
            1));
  }

  private void addNames(long names) {
    all.add(
        new Scenario(
            Map.of("us_per_tensor", "names_" + names),
            "µs",
            "names",
            sizes(
                "bytes",
                KIB,
                "names",
                names,
                "total",
                Math.max(names, amount(20000, 200000)),
                "reps",
                1),
            List.of("efl-cpp", "efl-java"),
            false,
            0,
            rounds(2)));
  }

  private static List<String> and(List<String> systems, String... more) {
    List<String> all = new ArrayList<>(systems);
    all.addAll(List.of(more));
    return List.copyOf(all);
  }

  private static String security(boolean tls) {
    return tls ? "tls" : "plain";
  }

  private static Map<String, Long> sizes(Object... namesAndValues) {
    Map<String, Long> sizes = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      sizes.put((String) namesAndValues[i], ((Number) namesAndValues[i + 1]).longValue());
    }
    return sizes;
  }
}
