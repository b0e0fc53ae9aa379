package org.efl.communicator;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import org.bytedeco.javacpp.BytePointer;
import org.efl.nativelib.Efl;

/**
 * The other party of a pair, made by {@link Node#addPeer}.
 *
 * <p>Operations return at once. Their futures complete on a thread of the kernel, and fail with a
 * {@link CommunicatorException}: {@code FAILED_PRECONDITION} before the connection and after the
 * close, {@code DEADLINE_EXCEEDED} after their timeout, {@code CANCELLED} when the node is closed
 * meanwhile, {@code UNAVAILABLE} when the peer leaves or its connection stays broken for {@link
 * PeerOptions.Builder#reconnectTimeout}. Cancelling a future doesn't end its operation. An
 * operation without a timeout of its own has the peer's {@link PeerOptions.Builder#defaultTimeout}.
 */
public final class Peer {
  private static final Duration DEFAULT_TIMEOUT = null;

  private final Node node;
  private final Efl.efl_peer peer;
  private final String name;

  Peer(Node node, Efl.efl_peer peer, String name) {
    this.node = node;
    this.peer = peer;
    this.name = name;
    Node.CLEANER.register(this, () -> Efl.efl_peer_release(peer));
  }

  /** The node that this peer belongs to. */
  public Node node() {
    return node;
  }

  /** The name it was added under, "" for none. */
  public String name() {
    return name;
  }

  /**
   * Names a tensor that will be received, and what it must be.
   *
   * @param dims its dimensions, -1 for any size; none for a scalar
   * @throws CommunicatorException {@code ALREADY_EXISTS} when the name is registered with another
   *     type or shape; the same once more is fine
   */
  public void registerTensor(String name, DType dtype, long... dims) {
    registerTensor(name, dtype, dims.length, dims);
  }

  /** Names a tensor of any shape that will be received. See {@link #registerTensor}. */
  public void registerTensorOfAnyShape(String name, DType dtype) {
    registerTensor(name, dtype, -1, new long[1]);
  }

  private void registerTensor(String name, DType dtype, int rank, long[] dims) {
    try (Status status = new Status();
        BytePointer text = Kernel.text(name)) {
      Efl.efl_peer_register_tensor(peer, text, dtype.number(), rank, dims, status.handle());
      status.check();
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** Names a dataset whose reader state will be asked for. */
  public void registerDataset(String dataset) {
    try (Status status = new Status();
        BytePointer text = Kernel.text(dataset)) {
      Efl.efl_peer_register_dataset(peer, text, status.handle());
      status.check();
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** As {@link #connect(Duration)}, with the default timeout. */
  public CompletableFuture<Void> connect() {
    return connect(DEFAULT_TIMEOUT);
  }

  /**
   * Leader: waits for the follower. Follower: connects, and tries again while the leader isn't
   * there. Connecting twice is {@code FAILED_PRECONDITION}; after a connection that was lost it is
   * the way back.
   */
  public CompletableFuture<Void> connect(Duration timeout) {
    return start(timeout, result -> null, call -> Efl.efl_peer_connect(peer, call));
  }

  /** As {@link #send(String, long, DType, long[], ByteBuffer, Duration)}, default timeout. */
  public CompletableFuture<Void> send(
      String name, long step, DType dtype, long[] dims, ByteBuffer data) {
    return send(name, step, dtype, dims, data, DEFAULT_TIMEOUT);
  }

  /**
   * Sends a tensor; ends when the peer holds it, or has consumed it, by {@link
   * PeerOptions.Builder#sendCompletion}. The elements are read in place, without a copy: leave them
   * as they are until the future has completed, and after a failure for good (the transport may
   * still be reading them; the buffer is kept reachable meanwhile).
   *
   * @param dims its dimensions, none for a scalar
   * @param data a direct buffer, from its position to its limit: row-major elements in native byte
   *     order. Strings: the length of each as a varint, then the bytes of all.
   * @throws IllegalArgumentException when the buffer is on the heap
   */
  public CompletableFuture<Void> send(
      String name, long step, DType dtype, long[] dims, ByteBuffer data, Duration timeout) {
    if (!data.isDirect()) {
      throw new IllegalArgumentException(
          "The data of tensor '" + name + "' are in a heap buffer; they must be in a direct one.");
    }
    Pending.Send pending = new Pending.Send(this);
    ByteBuffer elements = data.slice();
    Arguments arguments = Arguments.ofThread();
    Efl.efl_tensor tensor = arguments.tensor(name, step, dtype, dims, elements);
    Efl.efl_call call = arguments.call(timeout);
    tensor.release_token(Callbacks.pointer(Callbacks.lend(elements, pending::oneLess)));
    call.token(Callbacks.pointer(Callbacks.keep(pending)));
    try {
      Efl.efl_peer_send_tensor(peer, tensor, call);
    } finally {
      Reference.reachabilityFence(this);
    }
    return pending.future();
  }

  /** As {@link #receive(String, long, Duration)}, with the default timeout. */
  public CompletableFuture<Tensor> receive(String name, long step) {
    return receive(name, step, DEFAULT_TIMEOUT);
  }

  /** Receives the tensor that the peer sends under this name at this step. */
  public CompletableFuture<Tensor> receive(String name, long step, Duration timeout) {
    return receive(name, step, Place::fresh, timeout);
  }

  /** As {@link #receive(String, long, ByteBuffer, Duration)}, with the default timeout. */
  public CompletableFuture<Tensor> receive(String name, long step, ByteBuffer into) {
    return receive(name, step, into, DEFAULT_TIMEOUT);
  }

  /**
   * Receives the tensor that the peer sends under this name at this step, into a buffer that the
   * caller has: memory that is used again costs far less than fresh memory. The buffer is the
   * kernel's until the future has completed. The tensor's data are a slice of it.
   *
   * @param into a direct buffer, from its position on, which stays as it is; aligned for the
   *     elements. A tensor that is larger than what remains of it fails with {@code
   *     RESOURCE_EXHAUSTED}, at the peer too where that still waits.
   * @throws IllegalArgumentException when the buffer is on the heap or read-only
   */
  public CompletableFuture<Tensor> receive(
      String name, long step, ByteBuffer into, Duration timeout) {
    if (!into.isDirect() || into.isReadOnly()) {
      throw new IllegalArgumentException(
          "Tensor '" + name + "' needs a direct buffer that can be written to.");
    }
    return receive(name, step, Place.in(into), timeout);
  }

  private CompletableFuture<Tensor> receive(String name, long step, Place place, Duration timeout) {
    Pending.Receive pending = new Pending.Receive(this, place);
    Arguments arguments = Arguments.ofThread();
    BytePointer text = arguments.text(name);
    Efl.efl_call call = arguments.call(timeout);
    call.token(Callbacks.pointer(Callbacks.keep(pending)));
    try {
      Efl.efl_peer_receive_tensor(peer, text, step, Callbacks.ALLOCATE, call);
    } finally {
      Reference.reachabilityFence(this);
    }
    return pending.future();
  }

  /** As {@link #sendReaderState(String, ReaderState, Duration)}, with the default timeout. */
  public CompletableFuture<Void> sendReaderState(String dataset, ReaderState state) {
    return sendReaderState(dataset, state, DEFAULT_TIMEOUT);
  }

  /** Answers the peer's next request for this state; ends when the answer was taken. */
  public CompletableFuture<Void> sendReaderState(
      String dataset, ReaderState state, Duration timeout) {
    try (BytePointer name = Kernel.text(dataset);
        BytePointer blockId = Kernel.text(state.blockId())) {
      return start(
          timeout,
          result -> null,
          call -> Efl.efl_peer_send_reader_state(peer, name, blockId, state.sampleIndex(), call));
    }
  }

  /** As {@link #receiveReaderState(String, Duration)}, with the default timeout. */
  public CompletableFuture<ReaderState> receiveReaderState(String dataset) {
    return receiveReaderState(dataset, DEFAULT_TIMEOUT);
  }

  /** Asks the peer for its state; {@code OUT_OF_RANGE} when the peer has terminated the reader. */
  public CompletableFuture<ReaderState> receiveReaderState(String dataset, Duration timeout) {
    try (BytePointer name = Kernel.text(dataset)) {
      return start(
          timeout,
          result -> new ReaderState(text(result), result.index()),
          call -> Efl.efl_peer_receive_reader_state(peer, name, call));
    }
  }

  /** As {@link #terminateReader(String, Duration)}, with the default timeout. */
  public CompletableFuture<Void> terminateReader(String dataset) {
    return terminateReader(dataset, DEFAULT_TIMEOUT);
  }

  /**
   * Answers the peer's next request for this state with {@code OUT_OF_RANGE}: the data have ended.
   */
  public CompletableFuture<Void> terminateReader(String dataset, Duration timeout) {
    try (BytePointer name = Kernel.text(dataset)) {
      return start(
          timeout, result -> null, call -> Efl.efl_peer_terminate_reader(peer, name, call));
    }
  }

  /** As {@link #sendCheckpointVersion(String, Duration)}, with the default timeout. */
  public CompletableFuture<Void> sendCheckpointVersion(String version) {
    return sendCheckpointVersion(version, DEFAULT_TIMEOUT);
  }

  /** Answers the peer's request for the checkpoint version; "" means that there is none. */
  public CompletableFuture<Void> sendCheckpointVersion(String version, Duration timeout) {
    try (BytePointer text = Kernel.text(version)) {
      return start(
          timeout, result -> null, call -> Efl.efl_peer_send_checkpoint_version(peer, text, call));
    }
  }

  /** As {@link #receiveCheckpointVersion(Duration)}, with the default timeout. */
  public CompletableFuture<String> receiveCheckpointVersion() {
    return receiveCheckpointVersion(DEFAULT_TIMEOUT);
  }

  /** Asks the peer for the checkpoint version; "" means that there is none. */
  public CompletableFuture<String> receiveCheckpointVersion(Duration timeout) {
    return start(timeout, Peer::text, call -> Efl.efl_peer_receive_checkpoint_version(peer, call));
  }

  /**
   * Whether the peer is an existing EFLS party, which speaks the trainer wire and no more; false
   * until connected.
   */
  public boolean isEfls() {
    try {
      return Efl.efl_peer_is_efls(peer) != 0;
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** What carries the tensors, as of the latest connection; none before the first. */
  public Optional<Wire> wire() {
    try {
      return Wire.of(Kernel.text(Efl.efl_peer_wire(peer)));
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** How the peer stands. */
  public PeerState state() {
    return stats().state();
  }

  /** What the peer has done so far, and how it stands. */
  public PeerStats stats() {
    try (Efl.efl_peer_stats stats = new Efl.efl_peer_stats()) {
      Efl.efl_peer_read_stats(peer, stats);
      return PeerStats.of(stats);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /**
   * The listener hears of the present state at once, then of each change in order; of {@link
   * PeerState#CLOSED} last. Nothing is called any more when {@link Node#close} has returned, unless
   * that was called on a thread of the kernel. A listener is reachable until then, with whatever it
   * refers to.
   */
  public StateListener.Registration addStateListener(StateListener listener) {
    long token = Callbacks.listen(listener);
    long id;
    try {
      id = Efl.efl_peer_add_state_listener(peer, Callbacks.STATE, Callbacks.pointer(token));
    } finally {
      Reference.reachabilityFence(this);
    }
    return () -> {
      try {
        Efl.efl_peer_remove_state_listener(peer, id);
      } finally {
        Reference.reachabilityFence(this);
      }
      Callbacks.forget(token);
    };
  }

  /** The training step that the peer keeps: 0 at first. */
  public long step() {
    try {
      return Efl.efl_peer_step(peer);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** Moves on to the next training step and returns it. */
  public long addStep() {
    try {
      return Efl.efl_peer_add_step(peer);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** Goes back to step 0. */
  public void resetStep() {
    try {
      Efl.efl_peer_reset_step(peer);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** How many operations are pending. */
  public long pending() {
    try {
      return Efl.efl_peer_pending(peer);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  private <T> CompletableFuture<T> start(
      Duration timeout, Function<Efl.efl_result, T> outcome, Consumer<Efl.efl_call> operation) {
    Pending<T> pending = new Pending.Call<>(this, outcome);
    Efl.efl_call call = Arguments.ofThread().call(timeout);
    call.token(Callbacks.pointer(Callbacks.keep(pending)));
    try {
      operation.accept(call);
    } finally {
      Reference.reachabilityFence(this);
    }
    return pending.future();
  }

  private static String text(Efl.efl_result result) {
    return Kernel.text(result.text(), result.text_size());
  }
}
