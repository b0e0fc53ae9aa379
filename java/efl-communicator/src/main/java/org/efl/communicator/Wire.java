package org.efl.communicator;

/** What carries the tensors between two parties. */
public enum Wire {
  /** {@link #LINK} where both parties speak it, otherwise {@link #TRAINER}. */
  AUTO("auto"),
  /** The streaming wire of two parties of this project; it needs one of them to be reached. */
  LINK("link"),
  /** The wire of existing EFLS parties: a call for each tensor; both parties have to be reached. */
  TRAINER("trainer");

  private final String text;

  Wire(String text) {
    this.text = text;
  }

  String text() {
    return text;
  }
}
