package org.efl.examples.mnist;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class SampleIdsTest {
  private static String refusal(long[] leaders, long[] followers) {
    return assertThrows(
            SampleMismatchException.class, () -> SampleIds.check("a.tfrd", leaders, followers))
        .getMessage();
  }

  @Test
  void shouldAcceptTheSameIds() {
    assertDoesNotThrow(() -> SampleIds.check("a.tfrd", new long[] {3, 4}, new long[] {3, 4}));
  }

  @Test
  void shouldNameTheFirstRowThatDiffers() {
    assertEquals(
        "a.tfrd: row 1 of the batch is sample 4 at the leader, sample 5 at the follower.",
        refusal(new long[] {3, 4, 6}, new long[] {3, 5, 7}));
  }

  @Test
  void shouldNameDifferentSizes() {
    assertEquals(
        "a.tfrd: the batch has 2 samples at the leader, 0 at the follower.",
        refusal(new long[] {3, 4}, new long[0]));
    assertEquals(
        "a.tfrd: the batch has 1 samples at the leader, 2 at the follower.",
        refusal(new long[] {3}, new long[] {3, 4}));
  }
}
