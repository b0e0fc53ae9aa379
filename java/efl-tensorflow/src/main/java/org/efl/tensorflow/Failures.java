package org.efl.tensorflow;

import java.util.Optional;
import org.efl.communicator.CommunicatorException;

/** Finds the communicator's failures in what TensorFlow throws. */
final class Failures {
  private Failures() {}

  /**
   * The first failure in the text is the one that came first: an operation that fails ends before
   * the others of its run do, and TensorFlow tells the first.
   */
  static RuntimeException translate(RuntimeException exception) {
    if (exception instanceof CommunicatorException) {
      return exception;
    }
    Optional<CommunicatorException> found = CommunicatorException.parse(exception.getMessage());
    if (found.isEmpty()) {
      return exception;
    }
    CommunicatorException failure = found.get();
    failure.initCause(exception);
    return failure;
  }
}
