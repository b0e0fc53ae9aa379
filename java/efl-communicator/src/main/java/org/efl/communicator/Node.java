package org.efl.communicator;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import org.efl.nativelib.Efl;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One party: its server, where it listens, and its {@link Peer}. Close it; a node that is forgotten
 * is closed when the garbage collector finds it, with a warning in the log.
 */
public final class Node implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);
  static final Cleaner CLEANER = Cleaner.create();

  private final Handle handle;

  private Node(Efl.efl_node node, String description) {
    handle = new Handle(node, description);
    CLEANER.register(this, handle);
  }

  /**
   * Makes a node and listens, where it has an address for that.
   *
   * @throws CommunicatorException when an option is wrong, the port is taken, or a certificate or
   *     key cannot be used
   */
  public static Node open(NodeOptions options) {
    Kernel.load();
    try (NativeOptions settings = NativeOptions.of(options.settings());
        Status status = new Status()) {
      Efl.efl_node node = Efl.efl_node_create(settings.handle(), status.handle());
      NativeOptions.check(status);
      int port = Efl.efl_node_port(node);
      return new Node(node, port == 0 ? "node that dials" : "node listening on port " + port);
    }
  }

  /** The port it listens on, 0 when it only dials. */
  public int port() {
    try {
      return Efl.efl_node_port(handle.node);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /**
   * Adds the other party of the pair; a node has one. Nothing is sent before {@link
   * Peer#connect()}.
   *
   * @throws CommunicatorException when an option is wrong or contradicts another, the name is
   *     taken, a certificate cannot be used, or the node is closed
   */
  public Peer addPeer(PeerOptions options) {
    try (NativeOptions settings = NativeOptions.of(options.settings());
        Status status = new Status()) {
      Efl.efl_peer peer = Efl.efl_node_add_peer(handle.node, settings.handle(), status.handle());
      NativeOptions.check(status);
      return new Peer(this, peer, options.settings().getOrDefault("name", ""));
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /**
   * Refuses new operations, fails the pending ones with {@code CANCELLED}, tells the peers and
   * stops the threads, within five seconds whatever the state of the peers. Closing again does
   * nothing. From a continuation on a thread of the kernel it starts all this and returns.
   */
  @Override
  public void close() {
    handle.closed = true;
    try {
      Efl.efl_node_close(handle.node);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /**
   * The native node, which lives as long as the Java one, closed or not: no call can meet a freed
   * node. Does not refer to the {@link Node}.
   */
  private static final class Handle implements Runnable {
    final Efl.efl_node node;
    final String description;
    volatile boolean closed;

    Handle(Efl.efl_node node, String description) {
      this.node = node;
      this.description = description;
    }

    @Override
    public void run() {
      if (closed) {
        Efl.efl_node_free(node);
        return;
      }
      LOG.warn("A {} was never closed; closing it now.", description);
      // That can take seconds, for which the Cleaner's one thread must not be held.
      Thread closing = new Thread(() -> Efl.efl_node_free(node), "efl-close-forgotten");
      closing.setDaemon(true);
      closing.start();
    }
  }
}
