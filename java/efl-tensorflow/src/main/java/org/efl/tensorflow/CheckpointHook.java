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
 * parties agree on the newest version that both hold before anything is restored: the leader
 * proposes its newest, the follower answers with its newest that is no newer, and while the two
 * differ the leader proposes its newest that is no newer than the answer. "" stands for none: then
 * both begin fresh. So a party that was one save ahead when the other ended goes back to what both
 * have, as long as each keeps more than one. Newer checkpoints belong to a run that nobody
 * continues: once the agreed one is restored they are moved into a folder "abandoned-TIME" beside
 * the checkpoints. As many of those stay as of the others ({@link Builder#keep}), the ones that
 * were abandoned first go first. To go back to one of them, move it beside the others at both
 * parties, and what is newer away. Without a communicator the newest is restored.
 *
 * <p>An existing EFLS party knows no answer: with one of those as follower the leader restores its
 * newest and learns nothing; with one as leader the follower restores what the leader names, and
 * fails with FAILED_PRECONDITION when it doesn't hold that.
 *
 * <p>After a failed step nothing more is saved, for the variables may be half updated; a step that
 * ended with OUT_OF_RANGE is the end of the data and does not count as failed.
 *
 * <p>A checkpoint counts when it is whole: it appears under its name when all of it is on disk, and
 * its checksums are compared before it is proposed. One that can't be written, because the disk is
 * full for instance, fails the step after which it was due with a {@link CheckpointException}: a
 * training that went on would lose more with every step. Those before it stay as they are.
 *
 * <p>When {@link TrainingSession#train} has come to its end, each party saves the last checkpoint
 * and then tells the other. None leaves before both have saved it.
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

  /** Of the first step that has failed, null when none has. */
  private Throwable failure;

  /** The store says that the data have ended. */
  private boolean ended;

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
    failure = null;
  }

  @Override
  public void afterCreateSession(Session session) {
    begin(session.graph());
    store.lookAgain();
    String version = communicator == null ? store.newest() : agree(session);
    if (!version.isEmpty()) {
      session.restore(store.prefix(version).toString());
      restoredStep = Long.parseLong(version);
      logger.info("Restored checkpoint {}.", version);
    }
    store.abandonAfter(version);
    ended = store.finished() != CheckpointStore.Finished.NO;
    step = restoredStep;
    savedStep = restoredStep;
    opened = true;
  }

  private String agree(Session session) {
    return communicator.role() == Role.LEADER ? lead(session) : follow(session);
  }

  private String lead(Session session) {
    String proposal = store.newest();
    communicator.sendCkptVersion(session, proposal);
    if (communicator.peerIsEfls()) {
      return proposal;
    }
    String answer = notAfter(proposal, communicator.recvCkptVersion(session));
    while (!answer.equals(proposal)) {
      proposal = store.newestUpTo(answer);
      communicator.sendCkptVersion(session, proposal);
      answer = notAfter(proposal, communicator.recvCkptVersion(session));
    }
    return proposal;
  }

  private String follow(Session session) {
    String proposal = checked(communicator.recvCkptVersion(session));
    if (communicator.peerIsEfls()) {
      return heldHere(proposal);
    }
    String answer = answer(session, proposal);
    while (!answer.equals(proposal)) {
      proposal = notAfter(answer, communicator.recvCkptVersion(session));
      answer = answer(session, proposal);
    }
    return proposal;
  }

  private String answer(Session session, String proposal) {
    String answer = store.newestUpTo(proposal);
    communicator.sendCkptVersion(session, answer);
    return answer;
  }

  private String heldHere(String version) {
    if (version.isEmpty() || store.holds(version)) {
      return version;
    }
    String newest = store.newest();
    throw disagreement(
        "The leader wants checkpoint "
            + version
            + "; here is "
            + (newest.isEmpty() ? "no checkpoint." : "checkpoint " + newest + "."));
  }

  /** Versions only ever go back, so that the agreement ends whatever the peer says. */
  private static String notAfter(String limit, String version) {
    if (CheckpointStore.number(checked(version)) > CheckpointStore.number(limit)) {
      throw disagreement("The peer said " + version + " after '" + limit + "'.");
    }
    return version;
  }

  private static String checked(String version) {
    if (!version.isEmpty() && !CheckpointStore.isVersion(version)) {
      throw disagreement("The peer said '" + version + "', which is no version.");
    }
    return version;
  }

  private static CommunicatorException disagreement(String reason) {
    return new CommunicatorException(
        Code.FAILED_PRECONDITION, "", "", -1, "", "Checkpoints don't match. " + reason);
  }

  @Override
  public void afterRun(TrainingContext context, Result result) {
    step = context.step();
    if (ended) {
      // The data go on past what was their end: whoever is left alone from here on isn't done.
      forgetEnd();
    }
    if (failure == null && everySteps > 0 && step % everySteps == 0) {
      save(context.session());
    }
  }

  @Override
  public void runFailed(TrainingContext context, Throwable reason) {
    if (failure == null && !TrainingSession.isEndOfData(reason)) {
      failure = reason;
    }
  }

  @Override
  public void end(Session session) {
    if (opened && failure == null && step != savedStep) {
      save(session);
    }
  }

  /**
   * The training has come to its end: saves, and waits until the peer has saved too.
   *
   * @throws CommunicatorException when the peer is lost meanwhile, or its data end at another step
   * @throws IllegalStateException when a step has failed: what was trained may be half updated
   */
  void finish(Session session) {
    if (failure != null) {
      throw new IllegalStateException(
          "A step has failed, so the training is not at its end and nothing more is saved.",
          failure);
    }
    if (step != savedStep || step == 0) {
      save(session);
    }
    String last = Long.toString(step);
    if (store.finished() != CheckpointStore.Finished.CONFIRMED) {
      markEnd(last, communicator == null);
    }
    if (communicator != null && !communicator.peerIsEfls()) {
      takeLeave(session, last);
    }
  }

  private void takeLeave(Session session, String last) {
    boolean leads = communicator.role() == Role.LEADER;
    if (leads) {
      communicator.sendCkptVersion(session, last);
    }
    String theirs = communicator.recvCkptVersion(session);
    boolean same = theirs.equals(last);
    if (same) {
      markEnd(last, true);
    } else {
      // Neither party may take it for the end when it is started again.
      forgetEnd();
    }
    if (!leads) {
      // Whatever came of it: without an answer the leader takes this party for lost.
      communicator.sendCkptVersion(session, last);
    }
    if (!same) {
      throw disagreement("Here the data end after step " + last + ", at the peer after " + theirs);
    }
  }

  private void markEnd(String last, boolean confirmed) {
    store.finish(last, confirmed);
    ended = true;
  }

  private void forgetEnd() {
    store.forgetEnd();
    ended = false;
  }

  /** Whether the data ended with the newest checkpoint, and whether the peer has that too. */
  CheckpointStore.Finished finished() {
    return store.finished();
  }

  boolean agreesWith(CommunicatorHook hook) {
    return communicator != null && communicator.hook() == hook;
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

    /**
     * How many checkpoints are kept, at least 1; 5 by default. Older ones are deleted. As many
     * again may lie in folders "abandoned-TIME", so there has to be room for twice as many. With a
     * communicator at least 2: a party that is a save ahead goes back to its peer's.
     */
    public Builder keep(int value) {
      if (value < 1) {
        throw new IllegalArgumentException("keep must be at least 1: " + value);
      }
      keep = value;
      return this;
    }

    /**
     * Makes the hook; nothing is read or written yet.
     *
     * @throws IllegalArgumentException with a communicator, when less than 2 are to be kept
     */
    public CheckpointHook build() {
      if (communicator != null && keep < 2) {
        throw new IllegalArgumentException("keep must be at least 2 with a communicator: " + keep);
      }
      return new CheckpointHook(this);
    }
  }
}
