package org.efl.examples.mnist;

/** The names by which the two parties know their tensors and data sets. */
final class Names {
  /** What the follower makes of its features, [batch, {@link #HIDDEN}]. */
  static final String FC1 = "fc1";

  /** Its gradient, from the leader. */
  static final String FC1_GRAD = "fc1_grad";

  static final String TRAIN = "train";
  static final String TEST = "test";

  /** Features of each sample at either party: 28 rows of 14 columns. */
  static final int WIDTH = 392;

  static final long HIDDEN = 128;
  static final long CLASSES = 10;

  private Names() {}

  /** The reserved name of a data set's sample ids. */
  static String sampleIds(String dataset) {
    return "_verify_sample_ids_" + dataset;
  }
}
