package org.efl.examples.mnist;

import java.util.List;

/**
 * What came of killing a pair's processes again and again, as it stands in its JSON file.
 *
 * @param seed of the random moments
 * @param runs trainings from the beginning to the end, without the undisturbed one
 * @param kills processes that were killed
 * @param fullDisks processes that ended because their disk was full
 * @param modelIdentical whether each of these trainings ended with the undisturbed one's models
 * @param hangs trainings that didn't end
 * @param failures what ended on its own, with an error
 * @param leaderModelSha256 of the undisturbed training
 * @param followerModelSha256 of the undisturbed training
 */
record ChaosReport(
    long seed,
    int runs,
    int kills,
    int fullDisks,
    boolean modelIdentical,
    int hangs,
    List<String> failures,
    String leaderModelSha256,
    String followerModelSha256) {

  /** Where nothing was killed, nothing was shown. */
  boolean good() {
    return kills > 0 && modelIdentical && hangs == 0 && failures.isEmpty();
  }
}
