package org.efl.tensorflow;

import java.time.Duration;
import java.util.Objects;

/**
 * Whether a {@link TrainingSession} goes on after its peer was lost, and how long it waits for the
 * peer to come back.
 */
public final class Recovery {
  private static final Recovery NONE = new Recovery(Duration.ZERO);

  /** As many nanoseconds as there are, 292 years. */
  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);

  private final Duration limit;

  private Recovery(Duration limit) {
    this.limit = limit;
  }

  /** A lost peer ends the training: the default. */
  public static Recovery none() {
    return NONE;
  }

  /**
   * The peer may be gone for so long, each time: until it has connected again. Longer than it takes
   * to notice that a process has died, and to start it again. The limit doesn't end what follows,
   * the agreement on a checkpoint: each question of it may take the {@link
   * CommunicatorBuilder#defaultTimeout}.
   */
  public static Recovery upTo(Duration limit) {
    Objects.requireNonNull(limit, "limit");
    if (limit.isNegative() || limit.isZero()) {
      throw new IllegalArgumentException("The limit of a recovery must be positive: " + limit);
    }
    return new Recovery(limit.compareTo(LONGEST) > 0 ? LONGEST : limit);
  }

  Duration limit() {
    return limit;
  }

  boolean isNone() {
    return this == NONE;
  }
}
