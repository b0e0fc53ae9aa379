package org.efl.examples.mnist;

import java.util.Arrays;

/** The check that both parties speak of the same samples. */
final class SampleIds {
  private SampleIds() {}

  /**
   * Compares the sample ids of a batch.
   *
   * @param where what was being read, for the message
   * @throws SampleMismatchException naming the first row that differs
   */
  static void check(String where, long[] leaders, long[] followers) {
    int row = Arrays.mismatch(leaders, followers);
    if (row < 0) {
      return;
    }
    throw new SampleMismatchException(
        row < leaders.length && row < followers.length
            ? String.format(
                "%s: row %d of the batch is sample %d at the leader, sample %d at the follower.",
                where, row, leaders[row], followers[row])
            : String.format(
                "%s: the batch has %d samples at the leader, %d at the follower.",
                where, leaders.length, followers.length));
  }
}
