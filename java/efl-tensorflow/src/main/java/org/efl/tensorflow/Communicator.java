package org.efl.tensorflow;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.Node;
import org.efl.communicator.NodeOptions;
import org.efl.communicator.Peer;
import org.efl.communicator.PeerOptions;
import org.efl.communicator.PeerState;
import org.efl.communicator.PeerStats;
import org.efl.communicator.Role;
import org.efl.communicator.StateListener;
import org.efl.communicator.Wire;
import org.tensorflow.Operand;
import org.tensorflow.Session;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.TString;
import org.tensorflow.types.family.TType;

/**
 * One party's end of a federated pair: it makes the TensorFlow ops that exchange tensors, file
 * positions and checkpoint versions with the peer.
 *
 * <p>Ops are made with the {@link Ops} of a graph, of a function's body, or of an eager session,
 * where they run at once. Each carries the communicator's name, by which it finds its communicator
 * when it runs: a graph can be saved, loaded elsewhere, and used with a communicator of that name.
 * Tensors travel in the training step that {@link #step} shows when their op starts.
 *
 * <p>When one of its ops fails, the others of the same run fail with it, at both parties.
 * TensorFlow doesn't tell them of the failure of any other op of the graph: then they go on waiting
 * until the peer answers or their timeout is over, and {@code Session.run} returns no sooner. Where
 * that can happen, set a short {@link CommunicatorBuilder#defaultTimeout}, or have another thread
 * call {@link #close}, which ends them at once.
 *
 * <p>What fails in communicating, or because the communicator is closed, is a {@link
 * CommunicatorException}. Misuse that needs no peer to be noticed is not: names that are empty or
 * that a graph uses twice are an {@link IllegalArgumentException}, missing settings of the builder
 * an {@link IllegalStateException}. Out of {@code Session.run} TensorFlow throws exceptions of its
 * own; {@link #translate} turns them into one. All methods may be called from any thread.
 */
public final class Communicator implements AutoCloseable {
  private final String name;
  private final Role role;
  private final String peerAddress;
  private final Node node;
  private final Peer peer;
  private final CommunicatorOps ops;
  private final SessionOps sessionOps;
  private final CommunicatorHook hook = new CommunicatorHook(this);
  private final AtomicBoolean closed = new AtomicBoolean();

  Communicator(
      String name,
      Role role,
      String peerAddress,
      NodeOptions nodeOptions,
      PeerOptions peerOptions) {
    this.name = name;
    this.role = role;
    this.peerAddress = peerAddress;
    OpLibrary.load();
    node = Node.open(nodeOptions);
    try {
      peer = node.addPeer(peerOptions);
    } catch (RuntimeException e) {
      node.close();
      throw e;
    }
    ops = new CommunicatorOps(name, peer);
    sessionOps = new SessionOps(name, role);
  }

  /** Begins a communicator; a role has to be set, and a peer address or a local one or both. */
  public static CommunicatorBuilder builder() {
    return new CommunicatorBuilder();
  }

  /**
   * Sends a tensor to the peer, in place: it isn't copied. The op ends when the peer holds it, or
   * has consumed it, by {@link CommunicatorBuilder#sendCompletion}.
   *
   * @param name what the peer receives it by
   * @param tensor of any fixed-width type, or strings
   * @throws IllegalArgumentException when this graph already sends a tensor of this name
   */
  public Op send(Ops tf, String name, Operand<? extends TType> tensor) {
    checkOpen("send tensor", name);
    return ops.send(tf, name, tensor);
  }

  /** Receives a tensor of floats, of any shape. */
  public Operand<TFloat32> recv(Ops tf, String name) {
    return recv(tf, name, TFloat32.class);
  }

  /** Receives a tensor of any shape. */
  public <T extends TType> Operand<T> recv(Ops tf, String name, Class<T> dtype) {
    return recv(tf, name, dtype, Shape.unknown());
  }

  /**
   * Receives a tensor that the peer sends in the same step. What arrives with another type or shape
   * fails at both ends.
   *
   * @param name what the peer sends it by; known to the communicator from this call on
   * @param shape {@link Shape#unknown()}, or one with dimensions of -1 where any size is fine
   * @throws IllegalArgumentException when this graph already receives a tensor of this name
   * @throws CommunicatorException ALREADY_EXISTS when the name is known with another type or shape
   */
  public <T extends TType> Operand<T> recv(Ops tf, String name, Class<T> dtype, Shape shape) {
    checkOpen("receive tensor", name);
    return ops.recv(tf, name, dtype, shape);
  }

  /**
   * Answers the peer's next question for the reader state of a dataset. Ends when the answer was
   * taken.
   *
   * @param name the dataset, by the same name at both parties
   * @param blockId scalar: the file to read
   * @param sampleIndex scalar: the sample in it to begin with
   */
  public Op sendReaderState(
      Ops tf, String name, Operand<TString> blockId, Operand<TInt64> sampleIndex) {
    checkOpen("send reader state", name);
    return ops.sendReaderState(tf, name, blockId, sampleIndex);
  }

  /**
   * Asks the peer for the reader state of a dataset. The op fails with OUT_OF_RANGE when the peer
   * has terminated the reader.
   */
  public ReaderStateOperands recvReaderState(Ops tf, String name) {
    checkOpen("receive reader state", name);
    return ops.recvReaderState(tf, name);
  }

  /** Answers the peer's next question for the reader state with OUT_OF_RANGE: the data end. */
  public Op terminateReader(Ops tf, String name) {
    checkOpen("terminate reader", name);
    return ops.terminateReader(tf, name);
  }

  /** Moves the training step by one. {@link CommunicatorHook} does it after each run. */
  public Op addStep(Ops tf) {
    checkOpen("add step", "");
    return ops.addStep(tf);
  }

  /**
   * Answers the peer's question for the checkpoint version, in a run of its own; blocks until the
   * peer has taken the answer.
   *
   * @param version "" for none
   */
  public void sendCkptVersion(Session session, String version) {
    checkOpen("send checkpoint version", "");
    translated(() -> sessionOps.sendCheckpointVersion(session, version));
  }

  /** Asks the peer for its checkpoint version, in a run of its own; blocks. "" for none. */
  public String recvCkptVersion(Session session) {
    checkOpen("receive checkpoint version", "");
    return translated(() -> sessionOps.receiveCheckpointVersion(session));
  }

  /**
   * Puts the step back to 0 and connects: the leader waits for the follower, the follower tries
   * until the leader is there, both at most for the default timeout. To be called when all ops of
   * the graph are made: what a loaded graph receives, and the datasets whose reader states it sends
   * or terminates, are made known here. Those inside function bodies of a loaded graph are not
   * found; make them with this communicator.
   */
  public void initialize(Session session) {
    checkOpen("connect", "");
    ops.registerReceives(session.graph());
    peer.resetStep();
    translated(() -> sessionOps.connect(session));
  }

  /** As {@link #initialize}, at most for so long, and no longer than until an interrupt. */
  void connect(Session session, Duration limit) {
    checkOpen("connect", "");
    ops.registerReceives(session.graph());
    peer.resetStep();
    try {
      peer.connect(limit).get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof CommunicatorException failure
          ? failure
          : new CompletionException(e.getCause());
    } catch (InterruptedException e) {
      throw Interruption.failure("connect", peerAddress, "while it waited for the peer");
    }
  }

  /**
   * Ends what is pending at both parties and stops listening, in a run of its own, within five
   * seconds whatever the state of the peer. A communicator cannot be used again afterwards; a
   * second call does nothing. When the run fails, the communicator is closed all the same.
   */
  public void shutdown(Session session) {
    if (closed.compareAndSet(false, true)) {
      try {
        translated(() -> sessionOps.closeConnection(session));
      } finally {
        node.close();
      }
    }
  }

  void runAddStep(Session session) {
    checkOpen("add step", "");
    translated(() -> sessionOps.addStep(session));
  }

  private static void translated(Runnable run) {
    translated(
        () -> {
          run.run();
          return true;
        });
  }

  private static <R> R translated(Supplier<R> run) {
    try {
      return run.get();
    } catch (RuntimeException e) {
      throw translate(e);
    }
  }

  /** The training step: 0 after {@link #initialize}. */
  public long step() {
    checkOpen("", "");
    return peer.step();
  }

  /** The name its ops carry, unique in the process. */
  public String name() {
    return name;
  }

  /** The role of this party. */
  public Role role() {
    return role;
  }

  /** The port it listens on, 0 when it only dials. */
  public int port() {
    checkOpen("", "");
    return node.port();
  }

  /** What carries the tensors, as of the latest connection; none before the first. */
  public Optional<Wire> wire() {
    return peer.wire();
  }

  /** How the peer stands. */
  public PeerState state() {
    return peer.state();
  }

  /** What went and came so far, and how the peer stands. */
  public PeerStats stats() {
    return peer.stats();
  }

  /** Hears of each change of {@link #state}. See {@link Peer#addStateListener}. */
  public StateListener.Registration addStateListener(StateListener listener) {
    return peer.addStateListener(listener);
  }

  /** Operations that wait for the peer. */
  public long pending() {
    return peer.pending();
  }

  Peer peer() {
    return peer;
  }

  boolean peerIsEfls() {
    return peer.isEfls();
  }

  CommunicatorOps ops() {
    return ops;
  }

  /** The hook that ties this communicator to a {@link TrainingSession}. */
  public CommunicatorHook hook() {
    return hook;
  }

  /** As {@link #shutdown}, without a session. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      node.close();
    }
  }

  private void checkOpen(String operation, String operand) {
    if (closed.get()) {
      throw new CommunicatorException(
          Code.FAILED_PRECONDITION, operation, operand, -1, peerAddress, "Already Closed.");
    }
  }

  /**
   * Finds the communicator's failure in an exception out of a TensorFlow run.
   *
   * @return a {@link CommunicatorException} with the exception as its cause, or the exception
   *     itself when the communicator didn't cause it
   */
  public static RuntimeException translate(RuntimeException exception) {
    return Failures.translate(exception);
  }
}
