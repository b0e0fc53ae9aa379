package org.efl.communicator;

/** The part that a party plays in a pair. */
public enum Role {
  /** Waits for the follower to connect. */
  LEADER("leader"),
  /** Opens the connection. */
  FOLLOWER("follower");

  private final String text;

  Role(String text) {
    this.text = text;
  }

  String text() {
    return text;
  }
}
