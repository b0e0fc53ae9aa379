package org.efl.tensorflow;

import org.tensorflow.Graph;
import org.tensorflow.Result;
import org.tensorflow.Session;

/**
 * What happens around the runs of a {@link TrainingSession}. All methods run on the thread that
 * calls the session; an exception out of any of them but {@link #end} and {@link #runFailed} ends
 * the session as a failed run does.
 */
public interface SessionHook {

  /** Before the session exists: the last moment to add ops that the session shall see at once. */
  default void begin(Graph graph) {}

  /**
   * The session exists and its variables are initialised. Called again, with another session, when
   * a training goes on after its peer was lost; {@link #end} isn't called for the first one.
   */
  default void afterCreateSession(Session session) {}

  /** A step is about to run. */
  default void beforeRun(TrainingContext context) {}

  /**
   * A step has run.
   *
   * @param result what it fetched; closed by the caller of the session, not here
   */
  default void afterRun(TrainingContext context, Result result) {}

  /**
   * A step failed; {@link #afterRun} is not called for it. A step that ended with OUT_OF_RANGE is
   * the end of the data and comes here too.
   *
   * @param failure as the caller of the session will see it, an exception or an error
   */
  default void runFailed(TrainingContext context, Throwable failure) {}

  /** The session is about to be closed, after failures too. Called once. */
  default void end(Session session) {}
}
