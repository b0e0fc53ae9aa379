package org.efl.tensorflow;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
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
 */
public final class TrainingSession implements AutoCloseable {
  private final Graph graph;
  private final List<SessionHook> hooks;
  private Session session;
  private long step;
  private boolean ended;

  private TrainingSession(Builder builder) {
    graph = builder.graph;
    hooks = new ArrayList<>(builder.hooks);
    hooks.sort(Comparator.comparingInt(TrainingSession::rank));
  }

  /** The graph is the caller's; it must outlive the session. */
  public static Builder builder(Graph graph) {
    return new Builder(graph);
  }

  private static int rank(SessionHook hook) {
    if (hook instanceof CommunicatorHook) {
      return 0;
    }
    return hook instanceof CheckpointHook ? 2 : 1;
  }

  private void open(ConfigProto config) {
    try {
      for (SessionHook hook : hooks) {
        hook.begin(graph);
      }
      session = new Session(graph, config);
      session.initialize();
      for (SessionHook hook : hooks) {
        hook.afterCreateSession(session);
        if (hook instanceof CheckpointHook checkpoints) {
          step = checkpoints.restoredStep();
        }
      }
    } catch (RuntimeException | Error e) {
      throw failOpening(translate(e));
    }
  }

  private RuntimeException failOpening(Throwable failure) {
    try {
      close();
    } catch (RuntimeException | Error e) {
      combine(failure, e);
    }
    return thrown(failure);
  }

  private static Throwable translate(Throwable failure) {
    return failure instanceof RuntimeException e ? Communicator.translate(e) : failure;
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
   *     the data
   * @throws IllegalStateException after {@link #close}
   */
  public Result run(UnaryOperator<Session.Runner> request) {
    if (ended) {
      throw new IllegalStateException("The training session is closed.");
    }
    TrainingContext context = new TrainingContext(session, step + 1);
    Result result = null;
    try {
      for (SessionHook hook : hooks) {
        hook.beforeRun(context);
      }
      result = request.apply(session.runner()).run();
      step++;
      for (SessionHook hook : hooks) {
        hook.afterRun(context, result);
      }
      return result;
    } catch (RuntimeException | Error e) {
      if (result != null) {
        result.close();
      }
      throw reportFailure(context, translate(e));
    }
  }

  private RuntimeException reportFailure(TrainingContext context, Throwable failure) {
    for (SessionHook hook : hooks) {
      try {
        hook.runFailed(context, failure);
      } catch (RuntimeException | Error e) {
        combine(failure, e);
      }
    }
    return thrown(failure);
  }

  /** True when a failure of {@link #run} means that the data have ended, which is no error. */
  public static boolean isEndOfData(Throwable failure) {
    return failure instanceof CommunicatorException e && e.code() == Code.OUT_OF_RANGE;
  }

  /** The session itself, for runs without hooks, such as an evaluation. */
  public Session session() {
    return session;
  }

  /** Steps trained, those before the restored checkpoint included. */
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
    Throwable failure = endHooks();
    try {
      session.close();
    } catch (RuntimeException | Error e) {
      failure = combine(failure, e);
    }
    if (failure != null) {
      throw thrown(failure);
    }
  }

  private Throwable endHooks() {
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

  private static Throwable combine(Throwable first, Throwable next) {
    if (first == null) {
      return next;
    }
    if (first != next) {
      first.addSuppressed(next);
    }
    return first;
  }

  /** Collects what a training session is made of. */
  public static final class Builder {
    private final Graph graph;
    private final List<SessionHook> hooks = new ArrayList<>();
    private ConfigProto config = ConfigProto.getDefaultInstance();

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
     * Opens the session: steps 1 to 3 of the order above. Blocks until the peer is there.
     *
     * @throws CommunicatorException when connecting or the agreement on a checkpoint failed
     */
    public TrainingSession build() {
      TrainingSession session = new TrainingSession(this);
      session.open(config);
      return session;
    }
  }
}
