package org.efl.benchmarks.systems;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/** By which a child process notices that the one that started it is gone. */
final class StandardInput {
  private StandardInput() {}

  static void awaitEnd() {
    try {
      System.in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends the process, at once, when the standard input ends. */
  static void haltAtEnd() {
    Thread watching =
        new Thread(
            () -> {
              awaitEnd();
              Runtime.getRuntime().halt(1);
            },
            "standard-input");
    watching.setDaemon(true);
    watching.start();
  }
}
