package org.efl.benchmarks.systems;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.efl.benchmarks.Statistics;

/** Runs a case at its driving end, and makes the figures of what it took. */
final class Measurement {
  private Measurement() {}

  /** The figures by their names. */
  static Map<String, Object> of(ChildOptions options) throws Exception {
    if (options.childCase == ChildCase.ROUNDTRIP) {
      try (RoundTrips trips = options.system.roundTrips(options)) {
        return roundTrips(trips, options);
      }
    }
    try (Repetitions repetitions = options.system.repetitions(options)) {
      return repetitions(repetitions, options);
    }
  }

  private static Map<String, Object> roundTrips(RoundTrips trips, ChildOptions options)
      throws Exception {
    trips.run(new long[options.warm]);
    long[] nanos = new long[options.count];
    trips.run(nanos);
    double[] micros = Arrays.stream(nanos).mapToDouble(n -> n / 1e3).toArray();
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("p50_us", Statistics.percentile(micros, 50));
    figures.put("p99_us", Statistics.percentile(micros, 99));
    return figures;
  }

  private static Map<String, Object> repetitions(Repetitions repetitions, ChildOptions options)
      throws Exception {
    ChildCase childCase = options.childCase;
    for (int i = childCase.warmups(); i > 0; i--) {
      seconds(repetitions);
    }
    double[] values = new double[options.reps];
    for (int i = 0; i < values.length; i++) {
      values[i] = childCase.ofSeconds(options).applyAsDouble(seconds(repetitions));
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    if (childCase == ChildCase.NAMES) {
      figures.put(childCase.figure(), Statistics.median(values));
    } else {
      figures.put(childCase.figure(), values);
      figures.put("median", Statistics.median(values));
    }
    return figures;
  }

  private static double seconds(Repetitions repetitions) throws Exception {
    long start = System.nanoTime();
    repetitions.repeat();
    double seconds = (System.nanoTime() - start) / 1e9;
    repetitions.verify();
    return seconds;
  }
}
