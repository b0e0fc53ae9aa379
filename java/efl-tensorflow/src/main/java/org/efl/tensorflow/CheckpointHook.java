package org.efl.tensorflow;

import java.nio.file.Path;
import java.util.Objects;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.Role;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tensorflow.Graph;
import org.tensorflow.Result;
import org.tensorflow.Session;

/**
 * Saves the graph's variables every so many steps and at the end, and restores them at the start.
 *
 * <p>A checkpoint's version is the number of steps it was trained, as text. With a communicator the
 * parties agree first: the leader sends the newest version it holds ("" for none), the follower
 * answers with the version it will restore, and unless both are the same, both fail with
 * FAILED_PRECONDITION before anything is restored. An existing EFLS party knows no such answer:
 * with one of those as follower the leader learns nothing, and as leader it is told nothing.
 * Without a communicator the newest is restored.
 *
 * <p>After a failed step nothing more is saved, for the variables may be half updated; a step that
 * ended with OUT_OF_RANGE is the end of the data and does not count as failed.
 */
public final class CheckpointHook implements SessionHook {
  private static final Logger logger = LoggerFactory.getLogger(CheckpointHook.class);

  private final CheckpointStore store;
  private final Communicator communicator;
  private final long everySteps;
  private long restoredStep;
  private long step;
  private long savedStep;
  private boolean opened;
  private boolean failed;

  private CheckpointHook(Builder builder) {
    store = new CheckpointStore(builder.directory, builder.keep);
    communicator = builder.communicator;
    everySteps = builder.everySteps;
  }

  /**
   * Begins a hook.
   *
   * @param directory where checkpoints are kept, one folder each; created when it isn't there; of
   *     one party alone
   */
  public static Builder builder(Path directory) {
    return new Builder(directory);
  }

  @Override
  public void begin(Graph graph) {
    restoredStep = 0;
    step = 0;
    savedStep = 0;
    opened = false;
    failed = false;
  }

  @Override
  public void afterCreateSession(Session session) {
    String version = communicator == null ? store.newest() : agree(session);
    if (!version.isEmpty()) {
      session.restore(store.prefix(version).toString());
      restoredStep = Long.parseLong(version);
      logger.info("Restored checkpoint {}.", version);
    }
    step = restoredStep;
    savedStep = restoredStep;
    opened = true;
  }

  private String agree(Session session) {
    return communicator.role() == Role.LEADER ? lead(session) : follow(session);
  }

  private String lead(Session session) {
    String mine = store.newest();
    communicator.sendCkptVersion(session, mine);
    if (!communicator.peerIsEfls()) {
      String theirs = communicator.recvCkptVersion(session);
      if (!theirs.equals(mine)) {
        throw disagreement("The follower holds " + held(theirs) + ", not " + mine + ".");
      }
    }
    return mine;
  }

  private String follow(Session session) {
    String theirs = communicator.recvCkptVersion(session);
    boolean has = theirs.isEmpty() || store.holds(theirs);
    String answer = has ? theirs : store.newest();
    if (!communicator.peerIsEfls()) {
      communicator.sendCkptVersion(session, answer);
    }
    if (!has) {
      throw disagreement(
          "The leader wants checkpoint " + theirs + "; here is " + held(answer) + ".");
    }
    return theirs;
  }

  private static String held(String version) {
    return version.isEmpty() ? "no checkpoint" : "checkpoint " + version;
  }

  private static CommunicatorException disagreement(String reason) {
    return Communicator.failure(Code.FAILED_PRECONDITION, "Checkpoints don't match. " + reason);
  }

  @Override
  public void afterRun(TrainingContext context, Result result) {
    step = context.step();
    if (everySteps > 0 && step % everySteps == 0) {
      save(context.session());
    }
  }

  @Override
  public void runFailed(TrainingContext context, RuntimeException failure) {
    failed |= !TrainingSession.isEndOfData(failure);
  }

  @Override
  public void end(Session session) {
    if (opened && !failed && step != savedStep) {
      save(session);
    }
  }

  private void save(Session session) {
    store.save(Long.toString(step), prefix -> session.save(prefix.toString()));
    savedStep = step;
    logger.info("Saved checkpoint {}.", step);
  }

  /** The steps of the checkpoint that was restored, 0 when the training began fresh. */
  public long restoredStep() {
    return restoredStep;
  }

  /** Collects what a checkpoint hook is made of. */
  public static final class Builder {
    private final Path directory;
    private Communicator communicator;
    private long everySteps;
    private int keep = 5;

    private Builder(Path directory) {
      this.directory = Objects.requireNonNull(directory, "directory");
    }

    /** Whom to agree with; its own hook has to be part of the same session. */
    public Builder communicator(Communicator value) {
      communicator = Objects.requireNonNull(value, "communicator");
      return this;
    }

    /** Saves after each step that is a multiple of this; 0, the default: at the end only. */
    public Builder everySteps(long value) {
      if (value < 0) {
        throw new IllegalArgumentException("everySteps must not be negative: " + value);
      }
      everySteps = value;
      return this;
    }

    /** How many checkpoints are kept, at least 1; 5 by default. Older ones are deleted. */
    public Builder keep(int value) {
      if (value < 1) {
        throw new IllegalArgumentException("keep must be at least 1: " + value);
      }
      keep = value;
      return this;
    }

    /** Makes the hook; nothing is read or written yet. */
    public CheckpointHook build() {
      return new CheckpointHook(this);
    }
  }
}
