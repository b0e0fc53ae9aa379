package org.efl.communicator;

import org.efl.nativelib.Efl;

/** How a {@link Peer} stands. */
public enum PeerState {
  /** Not connected: connect was not called yet, or has failed, or the link was lost. */
  IDLE(Efl.EFL_PEER_IDLE),
  /** Connect is pending. */
  CONNECTING(Efl.EFL_PEER_CONNECTING),
  /** Connected. */
  READY(Efl.EFL_PEER_READY),
  /**
   * The connection broke. What is pending waits for the next one, for {@link
   * PeerOptions.Builder#reconnectTimeout} at most.
   */
  RECONNECTING(Efl.EFL_PEER_RECONNECTING),
  /** For good. */
  CLOSED(Efl.EFL_PEER_CLOSED);

  private final int number;

  PeerState(int number) {
    this.number = number;
  }

  static PeerState of(int number) {
    for (PeerState state : values()) {
      if (state.number == number) {
        return state;
      }
    }
    throw new IllegalArgumentException("no state has the number " + number);
  }
}
