package org.efl.benchmarks.systems;

/** The driving end of a case in which one tensor goes there and comes back, many times. */
interface RoundTrips extends AutoCloseable {
  /**
   * Fills in how long each round trip took, one after the other.
   *
   * @throws PayloadException when something else came back than was sent
   */
  void run(long[] nanos) throws Exception;

  @Override
  void close();
}
