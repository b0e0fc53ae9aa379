package org.efl.examples.mnist;

/**
 * What both parties have to agree on beforehand.
 *
 * @param batchSize samples of a step; the last of a block may have fewer
 * @param learningRate of the gradient descent
 * @param seed of the initial weights
 */
public record Hyperparameters(int batchSize, float learningRate, long seed) {
  /** Rejects what can't be trained with. */
  public Hyperparameters {
    if (batchSize < 1) {
      throw new IllegalArgumentException("The batch size must be at least 1: " + batchSize);
    }
    if (!(learningRate > 0)) {
      throw new IllegalArgumentException("The learning rate must be positive: " + learningRate);
    }
  }

  /** What the figures of the example are measured with. */
  public static Hyperparameters defaults() {
    return new Hyperparameters(256, 0.5f, 1);
  }
}
