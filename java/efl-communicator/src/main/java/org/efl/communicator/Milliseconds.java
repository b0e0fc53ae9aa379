package org.efl.communicator;

import java.time.Duration;

/** Times as the kernel takes them. */
final class Milliseconds {
  private Milliseconds() {}

  /**
   * The time in whole milliseconds, rounded up, so that a short time doesn't become none. What is
   * longer than the kernel can wait (24 days) becomes the longest that it can.
   *
   * @param option how the caller knows the time
   * @throws IllegalArgumentException when it is negative
   */
  static int of(String option, Duration time) {
    if (time.isNegative()) {
      throw new IllegalArgumentException("A negative " + option + ": " + time + ".");
    }
    if (time.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) >= 0) {
      return Integer.MAX_VALUE;
    }
    return (int) time.plusNanos(999_999).toMillis();
  }
}
