package org.efl.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DigitGeneratorTest {
  private static final int SIDE = DigitGenerator.SIDE;

  @Test
  void shouldDrawTheSameAgainFromTheSameSeed() {
    LabeledImages once = DigitGenerator.draw(50, 9);
    LabeledImages again = DigitGenerator.draw(50, 9);
    LabeledImages other = DigitGenerator.draw(50, 10);
    int same = 0;
    for (int i = 0; i < 50; i++) {
      assertEquals(once.label(i), again.label(i));
      assertArrayEquals(once.strip(i, 0, SIDE), again.strip(i, 0, SIDE));
      same += Arrays.equals(once.strip(i, 0, SIDE), other.strip(i, 0, SIDE)) ? 1 : 0;
    }
    assertEquals(0, same);
  }

  @Test
  void shouldDrawEveryDigitDifferentlyEachTime() {
    LabeledImages images = DigitGenerator.draw(1000, 1);
    int[] counts = new int[10];
    for (int i = 0; i < images.count(); i++) {
      counts[images.label(i)]++;
    }
    for (int digit = 0; digit < 10; digit++) {
      assertTrue(counts[digit] >= 50, "digit " + digit + ": " + counts[digit]);
    }
    assertFalse(Arrays.equals(images.strip(0, 0, SIDE), images.strip(1, 0, SIDE)));
  }
}
