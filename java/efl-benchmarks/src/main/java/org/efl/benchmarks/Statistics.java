package org.efl.benchmarks;

import java.util.Arrays;

/** Of samples in any order, which stay as they are. */
public final class Statistics {
  private Statistics() {}

  /** The middle one, or the mean of the two in the middle. */
  public static double median(double... samples) {
    double[] sorted = sorted(samples);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** The smallest sample that at least this many percent of all are not above (nearest rank). */
  public static double percentile(double[] samples, double percent) {
    double[] sorted = sorted(samples);
    int rank = (int) Math.ceil(percent / 100 * sorted.length);
    return sorted[Math.max(rank, 1) - 1];
  }

  private static double[] sorted(double[] samples) {
    if (samples.length == 0) {
      throw new IllegalArgumentException("There are no samples.");
    }
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    return sorted;
  }
}
