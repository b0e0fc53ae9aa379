package org.efl.benchmarks.suite;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Collections;
import java.util.List;
import org.efl.benchmarks.Statistics;

/**
 * A figure of a system.
 *
 * @param value the median of the samples
 * @param samples one for each round, in order
 */
record Result(
    @JsonProperty("case") String caseName,
    String system,
    double value,
    String unit,
    double min,
    double max,
    List<Double> samples) {
  static Result of(String caseName, String system, String unit, List<Double> samples) {
    double median = Statistics.median(samples.stream().mapToDouble(Double::doubleValue).toArray());
    return new Result(
        caseName,
        system,
        median,
        unit,
        Collections.min(samples),
        Collections.max(samples),
        List.copyOf(samples));
  }

  /** Whether more of the unit is better. */
  static boolean moreIsBetter(String unit) {
    return unit.endsWith("/s");
  }
}
