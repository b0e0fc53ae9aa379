package org.efl.communicator;

import java.util.Arrays;
import java.util.Optional;

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

  /** What the kernel calls so; none for "". */
  static Optional<Wire> of(String text) {
    return Arrays.stream(values()).filter(wire -> wire.text.equals(text)).findFirst();
  }

  String text() {
    return text;
  }
}
