package org.efl.examples.mnist;

import java.util.List;
import java.util.Locale;

/**
 * The figures of a demonstration, as they stand in its JSON file.
 *
 * @param steps training steps of the pair
 * @param stepsPerS of the pair, over its training steps
 * @param testAccuracy of the pair
 * @param pooledTestAccuracy of the same network in one process on all columns
 * @param leaderOnlyTestAccuracy of the leader's columns alone
 * @param maxLossGap the largest difference of the losses of pair and pooled, step by step
 * @param tls whether the pair talked TLS
 * @param leaderModelSha256 of the model that the leader saved: equal for equal trainings
 * @param followerModelSha256 of the model that the follower saved
 */
public record Report(
    long steps,
    double stepsPerS,
    double testAccuracy,
    double pooledTestAccuracy,
    double leaderOnlyTestAccuracy,
    double maxLossGap,
    boolean tls,
    String leaderModelSha256,
    String followerModelSha256) {

  /**
   * Compares a pair with the trainings in one process.
   *
   * @param pair what the leader has recorded
   * @throws IllegalArgumentException when they weren't trained the same number of steps
   */
  public static Report of(
      TrainingRecord pair,
      TrainingRecord follower,
      TrainingRecord pooled,
      TrainingRecord leaderOnly) {
    return new Report(
        pair.steps(),
        pair.stepsPerSecond(),
        pair.testAccuracy(),
        pooled.testAccuracy(),
        leaderOnly.testAccuracy(),
        maxGap(pair, pooled),
        pair.wire() != Wire.PLAINTEXT,
        pair.modelSha256(),
        follower.modelSha256());
  }

  private static double maxGap(TrainingRecord pair, TrainingRecord pooled) {
    List<Double> one = pair.losses();
    List<Double> other = pooled.losses();
    if (one.size() != other.size() || pair.firstStep() != pooled.firstStep()) {
      throw new IllegalArgumentException(
          String.format(
              "The pair trained %d steps from %d on, pooled %d from %d on.",
              one.size(), pair.firstStep(), other.size(), pooled.firstStep()));
    }
    double gap = 0;
    for (int i = 0; i < one.size(); i++) {
      gap = Math.max(gap, Math.abs(one.get(i) - other.get(i)));
    }
    return gap;
  }

  /** All of it in one line, and how the pair talked. */
  public String line(Wire wire) {
    return String.format(
        Locale.ROOT,
        "%d steps, %.1f steps/s, test accuracy %.4f (pooled %.4f, leader only %.4f),"
            + " largest loss gap %.2g, %s",
        steps,
        stepsPerS,
        testAccuracy,
        pooledTestAccuracy,
        leaderOnlyTestAccuracy,
        maxLossGap,
        wire.text());
  }
}
