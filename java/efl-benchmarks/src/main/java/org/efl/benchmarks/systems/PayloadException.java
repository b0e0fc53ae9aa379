package org.efl.benchmarks.systems;

/** Something else arrived than was sent. */
final class PayloadException extends RuntimeException {
  private static final long serialVersionUID = 1;

  PayloadException(String message) {
    super(message);
  }
}
