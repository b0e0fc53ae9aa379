package org.efl.tensorflow;

import java.util.Optional;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;

/** Finds the communicator's failures in what TensorFlow throws. */
final class Failures {
  private Failures() {}

  static RuntimeException translate(RuntimeException exception) {
    if (exception instanceof CommunicatorException) {
      return exception;
    }
    Optional<CommunicatorException> found = CommunicatorException.parse(exception.getMessage());
    if (found.isEmpty()) {
      return exception;
    }
    CommunicatorException failure = rootOf(found.get());
    failure.initCause(exception);
    return failure;
  }

  /**
   * When an operation fails, the others of its run are aborted, and TensorFlow shows one of them.
   * Its reason holds the failure that came first. A failure of the peer, told in a reason, names
   * another peer: this party.
   */
  private static CommunicatorException rootOf(CommunicatorException shown) {
    if (shown.code() != Code.ABORTED) {
      return shown;
    }
    return CommunicatorException.parse(shown.reason())
        .filter(first -> !first.operation().isEmpty())
        .filter(first -> first.peer().isEmpty() || first.peer().equals(shown.peer()))
        .orElse(shown);
  }
}
