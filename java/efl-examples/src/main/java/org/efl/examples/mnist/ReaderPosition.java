package org.efl.examples.mnist;

/**
 * Where a training stands in its data.
 *
 * @param epoch the epoch, from 0
 * @param block the index of the block in {@code DataDirectory.blocks()}
 * @param sample the index in the block of the sample that comes next
 */
record ReaderPosition(long epoch, int block, long sample) {

  /** As it is saved. */
  static ReaderPosition of(long[] saved) {
    return new ReaderPosition(saved[0], (int) saved[1], saved[2]);
  }

  /** The start of the block that follows, in the next epoch when this was the last one. */
  ReaderPosition nextBlock(int blocks) {
    return block + 1 < blocks
        ? new ReaderPosition(epoch, block + 1, 0)
        : new ReaderPosition(epoch + 1, 0, 0);
  }
}
