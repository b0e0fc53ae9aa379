package org.efl.tensorflow;

import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;

/** How an interrupt ends a training: by a failure that isn't taken for a loss of the peer. */
final class Interruption {
  private Interruption() {}

  static boolean isPending() {
    return Thread.currentThread().isInterrupted();
  }

  /**
   * The failure, as which the interrupt goes to whoever owns the thread, which stays interrupted.
   *
   * @param operation "" for none
   * @param peer "" for none
   * @param when the interrupt came
   */
  static CommunicatorException failure(String operation, String peer, String when) {
    Thread.currentThread().interrupt();
    CommunicatorException failure =
        new CommunicatorException(
            Code.CANCELLED, operation, "", -1, peer, "this thread was interrupted " + when);
    failure.initCause(new InterruptedException());
    return failure;
  }

  static boolean isCauseOf(Throwable failure) {
    return failure.getCause() instanceof InterruptedException;
  }
}
