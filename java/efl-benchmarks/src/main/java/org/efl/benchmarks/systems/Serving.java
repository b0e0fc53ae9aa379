package org.efl.benchmarks.systems;

/** The serving end. It accepts once made. */
interface Serving extends AutoCloseable {
  /** Serves until the driving end has left or this is closed. */
  void run() throws Exception;

  @Override
  void close();

  /** The serving end of a server that runs on threads of its own. */
  static Serving of(Runnable close) {
    return new Serving() {
      @Override
      public void run() {}

      @Override
      public void close() {
        close.run();
      }
    };
  }
}
