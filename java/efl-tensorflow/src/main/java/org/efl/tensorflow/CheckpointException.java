package org.efl.tensorflow;

/**
 * A checkpoint could not be written, for instance because the disk is full. Those before it are
 * whole, and the training goes on from them when it is started again.
 */
public final class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1;

  CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}
