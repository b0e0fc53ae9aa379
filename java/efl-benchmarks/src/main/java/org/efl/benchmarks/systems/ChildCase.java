package org.efl.benchmarks.systems;

import java.util.Locale;
import java.util.function.DoubleUnaryOperator;

/** What is measured. */
enum ChildCase {
  THROUGHPUT,
  ONE,
  ROUNDTRIP,
  STEPS,
  NAMES;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Repetitions that aren't timed. */
  int warmups() {
    return switch (this) {
      case THROUGHPUT -> 4;
      // As the native systems do it: the first repetition counts.
      case ONE -> 0;
      case ROUNDTRIP -> throw new IllegalArgumentException("Round trips have --warm.");
      default -> 1;
    };
  }

  /** The name of a figure in the output. */
  String figure() {
    return switch (this) {
      case THROUGHPUT, ONE -> "gb_per_s";
      case STEPS -> "steps_per_s";
      case NAMES -> "us_per_tensor";
      case ROUNDTRIP -> "us";
    };
  }

  /** Makes the figure of a repetition from the seconds it took. */
  DoubleUnaryOperator ofSeconds(ChildOptions options) {
    return switch (this) {
      case THROUGHPUT, ONE -> seconds -> (double) options.bytes * options.count / seconds / 1e9;
      case STEPS -> seconds -> options.count / seconds;
      case NAMES -> seconds -> seconds * 1e6 / options.total;
      case ROUNDTRIP -> throw new IllegalArgumentException("Round trips are not timed together.");
    };
  }
}
