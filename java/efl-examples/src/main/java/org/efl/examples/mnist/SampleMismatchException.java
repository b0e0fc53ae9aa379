package org.efl.examples.mnist;

/** The two parties' batches don't hold the same samples in the same order. */
public final class SampleMismatchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  SampleMismatchException(String message) {
    super(message);
  }

  SampleMismatchException(String message, Throwable cause) {
    super(message, cause);
  }
}
