package org.efl.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StatisticsTest {
  @Test
  void shouldTakeTheMiddleOfAnOddNumber() {
    assertEquals(2, Statistics.median(3, 1, 2));
  }

  @Test
  void shouldTakeTheMeanOfTheMiddleOfAnEvenNumber() {
    assertEquals(2.5, Statistics.median(4, 1, 3, 2));
  }

  @Test
  void shouldTakeThePercentileOfTheNearestRank() {
    double[] hundred = IntStream.rangeClosed(1, 100).mapToDouble(i -> 101 - i).toArray();
    assertEquals(50, Statistics.percentile(hundred, 50));
    assertEquals(99, Statistics.percentile(hundred, 99));
    assertEquals(100, Statistics.percentile(hundred, 100));
    assertEquals(1, Statistics.percentile(hundred, 0));
  }

  @Test
  void shouldTakeTheLargestOfFewForAHighPercentile() {
    assertEquals(7, Statistics.percentile(new double[] {7, 5, 6}, 99));
  }

  @Test
  void shouldLeaveTheSamplesAsTheyAre() {
    double[] samples = {3, 1, 2};
    Statistics.median(samples);
    Statistics.percentile(samples, 50);
    assertArrayEquals(new double[] {3, 1, 2}, samples);
  }

  @Test
  void shouldRefuseNoSamples() {
    assertThrows(IllegalArgumentException.class, Statistics::median);
  }
}
