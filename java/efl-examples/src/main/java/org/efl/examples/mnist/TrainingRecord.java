package org.efl.examples.mnist;

import java.util.List;

/**
 * What a training run leaves behind, as it stands in its JSON file.
 *
 * @param program which program ran: leader, follower, pooled, leader-only
 * @param firstStep the number of the step that {@code losses} begins with, from 1
 * @param steps steps trained in this run
 * @param stepsPerSecond over the training steps of this run; 0 when there were none
 * @param losses the loss of each step; empty at the follower
 * @param testAccuracy share of the test samples that were told right; -1 at the follower
 * @param wire how the parties talked
 * @param modelSha256 of what this party trained, its position in the data included; "" where that
 *     isn't saved
 */
public record TrainingRecord(
    String program,
    long firstStep,
    long steps,
    double stepsPerSecond,
    List<Double> losses,
    double testAccuracy,
    Wire wire,
    String modelSha256) {
  static final double NO_ACCURACY = -1;
}
