package org.efl.tensorflow;

/**
 * A training loop, which {@link TrainingSession#train} runs: from where the session stands to the
 * end.
 *
 * <p>It is called again after the peer was lost and has come back, when the session stands at an
 * earlier step. So it begins by asking where that is: {@link TrainingSession#step}, {@link
 * SavedPosition#of}; and it takes {@link TrainingSession#session} anew.
 *
 * @param <T> what it has to tell
 * @param <E> what it may throw beside runtime exceptions
 */
@FunctionalInterface
public interface Training<T, E extends Exception> {

  /** Trains to the end of the data. */
  T run(TrainingSession session) throws E;
}
