package org.efl.communicator;

import java.time.Instant;
import java.util.Optional;

/** Hears how a {@link Peer} stands. See {@link Peer#addStateListener}. */
@FunctionalInterface
public interface StateListener {
  /**
   * The peer has come into this state. Called on a thread of the kernel, which must not be held up:
   * while it is, messages of the peer wait. It may start operations and close the node.
   */
  void stateChanged(Change change);

  /**
   * A state, since when, and why.
   *
   * @param cause why it isn't connected any more, or not at the moment, where there is a reason
   */
  record Change(PeerState state, Instant since, Optional<CommunicatorException> cause) {}

  /** The listener, to be removed. */
  interface Registration extends AutoCloseable {
    /**
     * The listener is not called any more when this returns; when it removes itself, after it has
     * returned.
     */
    @Override
    void close();
  }
}
