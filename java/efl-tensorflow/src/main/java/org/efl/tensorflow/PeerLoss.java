package org.efl.tensorflow;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which failures mean that the peer was lost, and how a session starts again after one. */
final class PeerLoss {
  private static final Logger logger = LoggerFactory.getLogger(PeerLoss.class);

  /**
   * ABORTED: it has restarted; UNAVAILABLE: it is gone; CANCELLED: it closed while this was under
   * way.
   */
  private static final Set<Code> LOSSES = Set.of(Code.ABORTED, Code.UNAVAILABLE, Code.CANCELLED);

  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  /** Longer than a connection that is gone takes to be noticed. */
  private static final long STILL_NANOS = TimeUnit.SECONDS.toNanos(60);

  /** Who has just ended together with the peer doesn't wait as long as the peer may be gone. */
  private static final Duration LAST_CALL = Duration.ofSeconds(20);

  private final Recovery recovery;
  private final CheckpointHook checkpoints;

  PeerLoss(Recovery recovery, SessionHooks hooks) {
    this.recovery = recovery;
    checkpoints = recovery.isNone() ? null : agreeing(hooks);
  }

  private static CheckpointHook agreeing(SessionHooks hooks) {
    if (hooks.communicators() > 1) {
      // Their peers would have to begin anew together, and those that are there don't.
      throw new IllegalStateException(
          "A recovery is for one communicator; this session has " + hooks.communicators() + ".");
    }
    return hooks
        .agreeing()
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "A recovery needs a communicator's hook and a CheckpointHook with that"
                        + " communicator."));
  }

  private boolean covers(RuntimeException failure) {
    return checkpoints != null
        && !Interruption.isCauseOf(failure)
        && failure instanceof CommunicatorException e
        && LOSSES.contains(e.code());
  }

  /** The first start, and those after it when the peer is lost meanwhile. */
  void first(Consumer<Optional<Duration>> start) {
    boolean finished = checkpoints != null && checkpoints.finished() != CheckpointStore.Finished.NO;
    try {
      start.accept(finished ? Optional.of(recovery.limit()) : Optional.empty());
    } catch (RuntimeException e) {
      RuntimeException failure = Communicator.translate(e);
      if (finished && isOverdue(failure)) {
        throw givenUp(failure);
      }
      recover(failure, start);
    }
  }

  /**
   * Starts again, as often as it takes until that succeeds.
   *
   * @throws RuntimeException the failure, when it isn't a loss, or the peer didn't come back; or
   *     that this thread was interrupted
   */
  void recover(RuntimeException failure, Consumer<Optional<Duration>> start) {
    if (!covers(failure)) {
      throw failure;
    }
    endIfInterrupted(failure);
    Duration limit = limit();
    long end = System.nanoTime() + limit.toNanos();
    logger.warn("The peer was lost ({}). Waiting up to {} for it.", failure.getMessage(), limit);
    for (long left = limit.toNanos(); left > 0; left = end - System.nanoTime()) {
      try {
        start.accept(Optional.of(Duration.ofNanos(left).plusMillis(1)));
        return;
      } catch (RuntimeException e) {
        endIfInterrupted(failure);
        RuntimeException again = Communicator.translate(e);
        if (isOverdue(again)) {
          break;
        }
        if (isConnectedStill(again) && end - limit.toNanos() + STILL_NANOS < System.nanoTime()) {
          // The connection is there, and was all along: only an operation has failed.
          throw failure;
        }
        if (!covers(again) && !isConnectedStill(again)) {
          again.addSuppressed(failure);
          throw again;
        }
        logger.debug("Not yet: {}", again.getMessage());
      }
      LockSupport.parkNanos(PAUSE_NANOS);
      endIfInterrupted(failure);
    }
    throw givenUp(failure);
  }

  private static void endIfInterrupted(RuntimeException failure) {
    if (Interruption.isPending()) {
      CommunicatorException ended =
          Interruption.failure(
              "", "", "while it waited for the peer, which was lost: " + failure.getMessage());
      ended.addSuppressed(failure);
      throw ended;
    }
  }

  private Duration limit() {
    Duration limit = recovery.limit();
    boolean confirmed = checkpoints.finished() == CheckpointStore.Finished.CONFIRMED;
    return confirmed && limit.compareTo(LAST_CALL) > 0 ? LAST_CALL : limit;
  }

  private RuntimeException givenUp(RuntimeException failure) {
    CheckpointStore.Finished finished = checkpoints.finished();
    if (finished == CheckpointStore.Finished.CONFIRMED) {
      return finished("Both parties have trained to the end of the data and saved it", failure);
    }
    if (finished == CheckpointStore.Finished.HERE) {
      return finished(
          "Trained to the end of the data and saved it; whether the peer has is not known",
          failure);
    }
    if (!(failure instanceof CommunicatorException e)) {
      return failure;
    }
    CommunicatorException late =
        new CommunicatorException(
            e.code(),
            e.operation(),
            e.name(),
            e.step(),
            e.peer(),
            e.reason()
                + "; the peer has not come back within "
                + recovery.limit().toSeconds()
                + " s: start it again, and then this party");
    late.initCause(failure);
    return late;
  }

  private static AlreadyTrainedException finished(String what, RuntimeException failure) {
    logger.warn("{}. The peer has not come again.", what);
    return new AlreadyTrainedException(what + ". The peer has not come again.", failure);
  }

  /** The loss has been seen by an operation, but not by the connection yet. */
  private static boolean isConnectedStill(RuntimeException failure) {
    return failure instanceof CommunicatorException e
        && e.code() == Code.FAILED_PRECONDITION
        && e.reason().contains("Already Connected.");
  }

  private static boolean isOverdue(RuntimeException failure) {
    return failure instanceof CommunicatorException e
        && e.code() == Code.DEADLINE_EXCEEDED
        && e.operation().equals("connect");
  }
}
