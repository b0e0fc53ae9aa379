package org.efl.tensorflow;

/**
 * The data had been trained to their end, both parties' last checkpoint is whole here, and the peer
 * has not come again: there is nothing left to do. Not an error.
 */
public final class AlreadyTrainedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  AlreadyTrainedException(String message, Throwable cause) {
    super(message, cause);
  }
}
