package org.efl.benchmarks.systems;

/** The driving end of a case that is timed as a whole: a stream of tensors, or of steps. */
interface Repetitions extends AutoCloseable {
  /** One repetition; returns when the serving end has consumed all of it. */
  void repeat() throws Exception;

  /**
   * Looks at the content of the last repetition's tensors; not timed.
   *
   * @throws PayloadException when something else arrived than was sent
   */
  void verify() throws Exception;

  @Override
  void close();
}
