package org.efl.examples.data;

/**
 * Consecutive samples of one block, as one party holds them. The arrays are the batch's own and are
 * handed out without a copy.
 */
public final class Batch {
  private final long[] ids;
  private final float[] features;
  private final float[] labels;

  Batch(long[] ids, float[] features, float[] labels) {
    this.ids = ids;
    this.features = features;
    this.labels = labels;
  }

  /** How many samples it has; 0 at the end of a block. */
  public int size() {
    return ids.length;
  }

  /** The sample ids, [size]. */
  public long[] ids() {
    return ids;
  }

  /** The features, [size, width] row by row. */
  public float[] features() {
    return features;
  }

  /** The labels, [size] at the leader, empty at the follower. */
  public float[] labels() {
    return labels;
  }
}
