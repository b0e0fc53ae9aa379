package org.efl.tensorflow;

import java.util.Optional;
import org.efl.communicator.CommunicatorException;

/** Finds the communicator's failures in what TensorFlow throws. */
final class Failures {
  private Failures() {}

  static RuntimeException translate(RuntimeException exception) {
    if (exception instanceof CommunicatorException || exception.getMessage() == null) {
      return exception;
    }
    Optional<CommunicatorException> found = CommunicatorException.parse(exception.getMessage());
    found.ifPresent(e -> e.initCause(exception));
    return found.<RuntimeException>map(e -> e).orElse(exception);
  }
}
