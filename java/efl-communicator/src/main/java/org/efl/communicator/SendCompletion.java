package org.efl.communicator;

/** When a send ends. */
public enum SendCompletion {
  /** When the peer holds all of the tensor; whether it ever asks for it isn't waited for. */
  ACCEPTED("accepted"),
  /** When one of the peer's receives has taken the tensor. */
  CONSUMED("consumed");

  private final String text;

  SendCompletion(String text) {
    this.text = text;
  }

  String text() {
    return text;
  }
}
