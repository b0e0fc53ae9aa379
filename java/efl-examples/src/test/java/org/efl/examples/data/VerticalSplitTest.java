package org.efl.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerticalSplitTest {
  private static final int COUNT = 103;
  private static final int HALF = DigitGenerator.SIDE / 2;
  private static final int WIDTH = DigitGenerator.SIDE * HALF;

  @TempDir Path folder;
  private final LabeledImages images = DigitGenerator.draw(COUNT, 3);

  private DataDirectory directory(boolean leader, boolean test) {
    return new DataDirectory(folder.resolve(VerticalSplit.name(leader, test)), WIDTH, leader);
  }

  @Test
  void shouldGiveBothPartiesTheSameSamplesInTheSameOrder() throws IOException {
    VerticalSplit.write(images, folder, 10);
    Set<Long> seen = new TreeSet<>();
    for (boolean test : new boolean[] {false, true}) {
      DataDirectory left = directory(true, test);
      DataDirectory right = directory(false, test);
      assertEquals(10, left.blocks().size());
      assertEquals(left.blocks(), right.blocks());
      for (String block : left.blocks()) {
        checkBlock(left, right, block, test, seen);
      }
    }
    assertEquals(
        IntStream.range(0, COUNT).mapToObj(Long::valueOf).collect(Collectors.toSet()), seen);
  }

  private void checkBlock(
      DataDirectory left, DataDirectory right, String block, boolean test, Set<Long> seen)
      throws IOException {
    try (BlockReader leader = left.open(block, 0);
        BlockReader follower = right.open(block, 0)) {
      Batch mine = leader.next(COUNT);
      Batch theirs = follower.next(COUNT);
      assertTrue(mine.size() > 0);
      assertArrayEquals(mine.ids(), theirs.ids());
      assertEquals(0, theirs.labels().length);
      for (int row = 0; row < mine.size(); row++) {
        int id = (int) mine.ids()[row];
        assertTrue(seen.add((long) id), "twice: " + id);
        assertEquals(test, VerticalSplit.isTest(id));
        assertEquals(images.label(id), mine.labels()[row]);
        assertArrayEquals(images.strip(id, 0, HALF), row(mine, row));
        assertArrayEquals(images.strip(id, HALF, 2 * HALF), row(theirs, row));
      }
    }
  }

  private static float[] row(Batch batch, int row) {
    return Arrays.copyOfRange(batch.features(), row * WIDTH, (row + 1) * WIDTH);
  }

  @Test
  void shouldSplitTheSameWayEachTime() throws IOException {
    VerticalSplit.write(images, folder.resolve("once"), 2);
    VerticalSplit.write(images, folder.resolve("again"), 2);
    for (String name : List.of("leader_train/data_1.tfrd", "follower_test/data_0.tfrd")) {
      assertEquals(
          -1,
          Files.mismatch(folder.resolve("once").resolve(name), folder.resolve("again/" + name)));
    }
  }

  @Test
  void shouldRefuseTooFewImages() {
    IOException e =
        assertThrows(
            IOException.class, () -> VerticalSplit.write(DigitGenerator.draw(20, 1), folder, 10));
    assertEquals("20 images are too few for 10 files.", e.getMessage());
  }
}
