package org.efl.tensorflow;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.tensorflow.Graph;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.proto.ConfigProto;

/**
 * A TensorFlow session that runs hooks around its steps, in this order:
 *
 * <ol>
 *   <li>{@link SessionHook#begin} of each hook
 *   <li>the session is created, the graph's variables are initialised
 *   <li>{@link SessionHook#afterCreateSession}: communicators connect, then the other hooks, then
 *       checkpoints are agreed on and restored
 *   <li>for each step {@code beforeRun}, the run, {@code afterRun} (or {@code runFailed})
 *   <li>{@link SessionHook#end} in the opposite order: the last checkpoint is saved before the
 *       communicator is shut down. Every hook gets it once the session exists, also when a run or
 *       another hook failed, be it with an Error
 *   <li>the session is closed
 * </ol>
 *
 * <p>Hooks of one kind run in the order in which they were added. Exceptions of runs come out as
 * {@link CommunicatorException} where the communicator caused them. A session is used by one thread
 * at a time.
 *
 * <p>With a {@link Builder#recovery}, a peer that dies and is started again doesn't end the
 * training: communicators connect, the rest of steps 2 and 3 is done again, with a new TensorFlow
 * session, and the {@link Training} that {@link #train} was given is called again.
 */
public final class TrainingSession implements AutoCloseable {
  private final Graph graph;
  private final SessionHooks hooks;
  private final ConfigProto config;
  private final PeerLoss loss;
  private Session session;
  private long step;
  private boolean ended;

  private TrainingSession(Builder builder) {
    graph = builder.graph;
    hooks = new SessionHooks(builder.hooks);
    config = builder.config;
    loss = new PeerLoss(builder.recovery, hooks);
  }

  /** The graph is the caller's; it must outlive the session. */
  public static Builder builder(Graph graph) {
    return new Builder(graph);
  }

  private void open() {
    try {
      hooks.begin(graph);
      loss.first(this::start);
    } catch (RuntimeException | Error e) {
      throw failOpening(SessionHooks.translate(e));
    }
  }

  /** Steps 2 and 3 of the order above, with a limit for the peer where there is one. */
  private void start(Optional<Duration> limit) {
    // When the peer doesn't come, this party ends with fresh variables, which must not be saved.
    hooks.forgetSession(graph);
    boolean again = session != null;
    if (again) {
      // The session of before will do for it: one of its own for each attempt would be in vain.
      hooks.connect(session, limit);
      session.close();
    }
    session = new Session(graph, config);
    session.initialize();
    step = 0;
    if (!again) {
      hooks.connect(session, limit);
    }
    step = hooks.start(session);
  }

  private RuntimeException failOpening(Throwable failure) {
    try {
      close();
    } catch (RuntimeException | Error e) {
      SessionHooks.combine(failure, e);
    }
    return thrown(failure);
  }

  /** Throws an error, returns an exception to be thrown. */
  private static RuntimeException thrown(Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    return (RuntimeException) failure;
  }

  /**
   * Runs one training step with its hooks.
   *
   * @param request adds feeds, fetches and targets to the runner it is given, and returns it
   * @return what was fetched, to be closed by the caller
   * @throws CommunicatorException when the communicator failed; OUT_OF_RANGE: the leader has ended
   *     the data; CANCELLED: this thread was interrupted before the step, or its communicator was
   *     closed
   * @throws CheckpointException when the checkpoint that was due after the step can't be saved
   * @throws IllegalStateException after {@link #close}
   */
  public Result run(UnaryOperator<Session.Runner> request) {
    if (ended) {
      throw new IllegalStateException("The training session is closed.");
    }
    if (Interruption.isPending()) {
      throw Interruption.failure("", "", "before step " + (step + 1));
    }
    TrainingContext context = new TrainingContext(session, step + 1);
    Result result = null;
    try {
      hooks.beforeRun(context);
      result = request.apply(session.runner()).run();
      step++;
      hooks.afterRun(context, result);
      return result;
    } catch (RuntimeException | Error e) {
      if (result != null) {
        result.close();
      }
      Throwable failure = SessionHooks.translate(e);
      hooks.runFailed(context, failure);
      throw thrown(failure);
    }
  }

  /**
   * Runs a training loop to its end, again after each loss of the peer that the {@link
   * Builder#recovery} covers; then saves the last checkpoint and waits until the peer has saved its
   * own.
   *
   * <p>An interrupt of this thread ends it before the next step, or while it waits for a lost peer.
   * A step that is under way goes on until it ends or fails.
   *
   * @return what the loop returned
   * @throws CommunicatorException when the communicator failed and it wasn't such a loss, or the
   *     peer didn't come back in time; FAILED_PRECONDITION when the peer's data end after another
   *     step; CANCELLED when this thread was interrupted, which it still is
   * @throws CheckpointException when a checkpoint can't be saved, the last one included
   * @throws AlreadyTrainedException when there is nothing left to do, and nobody to do it with
   * @throws IllegalStateException when the loop returned after a step that had failed
   */
  public <T, E extends Exception> T train(Training<T, E> training) throws E {
    T value = null;
    boolean trained = false;
    while (true) {
      try {
        value = training.run(this);
        trained = true;
        hooks.finish(session);
        return value;
      } catch (RuntimeException e) {
        RuntimeException failure = Communicator.translate(e);
        try {
          loss.recover(failure, this::start);
        } catch (AlreadyTrainedException done) {
          if (trained) {
            return value;
          }
          throw done;
        }
      }
    }
  }

  /** True when a failure of {@link #run} means that the data have ended, which is no error. */
  public static boolean isEndOfData(Throwable failure) {
    return failure instanceof CommunicatorException e && e.code() == Code.OUT_OF_RANGE;
  }

  /**
   * The session itself, for runs without hooks, such as an evaluation. A recovery makes another
   * one.
   */
  public Session session() {
    return session;
  }

  /** Steps trained, those before the restored checkpoint included. A recovery goes back. */
  public long step() {
    return step;
  }

  /**
   * Ends the hooks and closes the session. A second call does nothing. When a hook fails, the
   * others still end; the first failure is thrown, the others are suppressed in it.
   */
  @Override
  public void close() {
    if (ended) {
      return;
    }
    ended = true;
    if (session == null) {
      return;
    }
    Throwable failure = hooks.end(session);
    try {
      session.close();
    } catch (RuntimeException | Error e) {
      failure = SessionHooks.combine(failure, e);
    }
    if (failure != null) {
      throw thrown(failure);
    }
  }

  /** Collects what a training session is made of. */
  public static final class Builder {
    private final Graph graph;
    private final List<SessionHook> hooks = new ArrayList<>();
    private ConfigProto config = ConfigProto.getDefaultInstance();
    private Recovery recovery = Recovery.none();

    private Builder(Graph graph) {
      this.graph = Objects.requireNonNull(graph, "graph");
    }

    /** Adds a hook. */
    public Builder hook(SessionHook hook) {
      hooks.add(Objects.requireNonNull(hook, "hook"));
      return this;
    }

    /** Threads, devices and memory of the session. */
    public Builder config(ConfigProto value) {
      config = Objects.requireNonNull(value, "config");
      return this;
    }

    /**
     * Whether the training goes on when a lost peer comes back; by default it doesn't. Needs the
     * hook of a communicator, of no more than one, and a {@link CheckpointHook} that agrees with
     * it.
     */
    public Builder recovery(Recovery value) {
      recovery = Objects.requireNonNull(value, "recovery");
      return this;
    }

    /**
     * Opens the session: steps 1 to 3 of the order above. Blocks until the peer is there.
     *
     * @throws CommunicatorException when connecting or the agreement on a checkpoint failed
     * @throws AlreadyTrainedException when there is nothing left to do, and nobody to do it with
     * @throws java.io.UncheckedIOException when checkpoints can't be listed, read or moved aside
     * @throws IllegalStateException when there is a recovery, but no checkpoints to go back to, or
     *     several communicators
     */
    public TrainingSession build() {
      TrainingSession session = new TrainingSession(this);
      session.open();
      return session;
    }
  }
}
