package org.efl.tensorflow;

import java.time.Duration;
import org.tensorflow.Result;
import org.tensorflow.Session;

/**
 * Ties a communicator to a session: connects once the session is there, moves the step after each
 * run in a run of its own, and shuts the communicator down at the end.
 */
public final class CommunicatorHook implements SessionHook {
  private final Communicator communicator;

  CommunicatorHook(Communicator communicator) {
    this.communicator = communicator;
  }

  /** Blocks until the peer is there, at most for the communicator's default timeout. */
  @Override
  public void afterCreateSession(Session session) {
    communicator.initialize(session);
  }

  /** The same, at most for so long. */
  void connect(Session session, Duration limit) {
    communicator.connect(session, limit);
  }

  @Override
  public void afterRun(TrainingContext context, Result result) {
    communicator.runAddStep(context.session());
  }

  @Override
  public void end(Session session) {
    communicator.shutdown(session);
  }
}
