package org.efl.examples.mnist;

import java.util.random.RandomGenerator;

/** When a process is killed: moments that chance alone would seldom meet are waited for. */
enum KillMoment {
  /** While it starts, connects and agrees. */
  STARTING(1500),
  /** At some step, or whatever else it does by then. */
  TRAINING(5000),
  /** While it writes a checkpoint. */
  SAVING(10),
  /** At the end of the data, in the test, at the last checkpoint, while both take leave. */
  ENDING(300);

  private final int withinMs;

  KillMoment(int withinMs) {
    this.withinMs = withinMs;
  }

  static KillMoment any(RandomGenerator random) {
    int of100 = random.nextInt(100);
    return of100 < 30 ? STARTING : of100 < 70 ? TRAINING : of100 < 90 ? SAVING : ENDING;
  }

  boolean hasCome(PartyProcess victim, long lastCheckpointBeforeTheEnd) {
    return switch (this) {
      case STARTING, TRAINING -> true;
      case SAVING -> victim.isSaving();
      case ENDING -> victim.hasSaved(lastCheckpointBeforeTheEnd);
    };
  }

  long delayMs(RandomGenerator random) {
    return random.nextInt(withinMs);
  }
}
