package org.efl.tensorflow;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.tensorflow.Graph;
import org.tensorflow.Result;
import org.tensorflow.Session;

/**
 * The hooks of a {@link TrainingSession}: in which order they are called, and what they fail of.
 */
final class SessionHooks {
  private final List<SessionHook> hooks;

  SessionHooks(List<SessionHook> added) {
    hooks = new ArrayList<>(added);
    hooks.sort(Comparator.comparingInt(SessionHooks::rank));
  }

  private static int rank(SessionHook hook) {
    if (hook instanceof CommunicatorHook) {
      return 0;
    }
    return hook instanceof CheckpointHook ? 2 : 1;
  }

  long communicators() {
    return hooks.stream().filter(CommunicatorHook.class::isInstance).count();
  }

  /** The checkpoints that are agreed on with the peer of a communicator that is here too. */
  Optional<CheckpointHook> agreeing() {
    return checkpoints().stream()
        .filter(
            found ->
                hooks.stream()
                    .anyMatch(other -> other instanceof CommunicatorHook c && found.agreesWith(c)))
        .findFirst();
  }

  private List<CheckpointHook> checkpoints() {
    return hooks.stream()
        .filter(CheckpointHook.class::isInstance)
        .map(CheckpointHook.class::cast)
        .toList();
  }

  void begin(Graph graph) {
    for (SessionHook hook : hooks) {
      hook.begin(graph);
    }
  }

  /** A session that isn't restored yet must not be saved. */
  void forgetSession(Graph graph) {
    for (CheckpointHook checkpoints : checkpoints()) {
      checkpoints.begin(graph);
    }
  }

  /** Connects communicators, with a limit for the peer where there is one. */
  void connect(Session session, Optional<Duration> limit) {
    for (SessionHook hook : hooks) {
      if (hook instanceof CommunicatorHook communicator) {
        if (limit.isPresent()) {
          communicator.connect(session, limit.get());
        } else {
          communicator.afterCreateSession(session);
        }
      }
    }
  }

  /**
   * Tells the others of the session, and restores.
   *
   * @return the steps that the restored checkpoint was trained
   */
  long start(Session session) {
    long step = 0;
    for (SessionHook hook : hooks) {
      if (!(hook instanceof CommunicatorHook)) {
        hook.afterCreateSession(session);
      }
      if (hook instanceof CheckpointHook checkpoints) {
        step = checkpoints.restoredStep();
      }
    }
    return step;
  }

  void beforeRun(TrainingContext context) {
    for (SessionHook hook : hooks) {
      hook.beforeRun(context);
    }
  }

  void afterRun(TrainingContext context, Result result) {
    for (SessionHook hook : hooks) {
      hook.afterRun(context, result);
    }
  }

  /** Tells all, whatever one of them throws: that is suppressed in the failure. */
  void runFailed(TrainingContext context, Throwable failure) {
    for (SessionHook hook : hooks) {
      try {
        hook.runFailed(context, failure);
      } catch (RuntimeException | Error e) {
        combine(failure, e);
      }
    }
  }

  /** The training has come to its end: the last checkpoint is saved, here and at the peer. */
  void finish(Session session) {
    for (CheckpointHook checkpoints : checkpoints()) {
      checkpoints.finish(session);
    }
  }

  /** Ends all, the last first, and returns the first failure, null when there is none. */
  Throwable end(Session session) {
    Throwable failure = null;
    for (int i = hooks.size() - 1; i >= 0; i--) {
      try {
        hooks.get(i).end(session);
      } catch (RuntimeException | Error e) {
        failure = combine(failure, translate(e));
      }
    }
    return failure;
  }

  static Throwable translate(Throwable failure) {
    return failure instanceof RuntimeException e ? Communicator.translate(e) : failure;
  }

  /** The first of two failures, which may be null, with the next suppressed in it. */
  static Throwable combine(Throwable first, Throwable next) {
    if (first == null) {
      return next;
    }
    if (first != next) {
      first.addSuppressed(next);
    }
    return first;
  }
}
