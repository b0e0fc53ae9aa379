package org.efl.tensorflow;

import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.StdArrays;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.op.core.Variable;
import org.tensorflow.types.TInt64;

/**
 * Where a training stands in its data: a few numbers, such as epoch, file and sample, that a
 * checkpoint holds together with the weights. They move in the same run in which the weights do, so
 * that no checkpoint can hold the one without the other.
 *
 * <pre>{@code
 * SavedPosition position = SavedPosition.create(tf, "reader_position", 3);
 * …
 * long[] at = position.of(session.session());                        // begin to read there
 * session.run(run -> position.move(run, next).addTarget(train));     // a step, and what comes next
 * }</pre>
 */
public final class SavedPosition {
  private final int size;
  private final Operand<TInt64> position;
  private final Placeholder<TInt64> next;
  private final Op move;

  private SavedPosition(Ops tf, String name, int size) {
    this.size = size;
    Variable<TInt64> variable = tf.withName(name).variable(tf.array(new long[size]));
    position = variable;
    next = tf.placeholder(TInt64.class, Placeholder.shape(Shape.of(size)));
    move = tf.assign(variable, next);
  }

  /**
   * Adds the position to a graph.
   *
   * @param name of its variable, in the graph and in checkpoints
   * @param size of how many numbers it is; all are 0 when the training begins
   */
  public static SavedPosition create(Ops tf, String name, int size) {
    return new SavedPosition(tf, name, size);
  }

  /** The position in a session: after a restore, that of the checkpoint. */
  public long[] of(Session session) {
    try (Result result = session.runner().fetch(position).run()) {
      return StdArrays.array1dCopyOf((TInt64) result.get(0));
    }
  }

  /**
   * Has a run move the position.
   *
   * @param run the run that trains what lies before the new position
   * @param to the new position; closed by the caller after the run
   */
  public Session.Runner move(Session.Runner run, TInt64 to) {
    return run.feed(next, (Tensor) to).addTarget(move);
  }

  /** A position as {@link #move} takes it. */
  public TInt64 at(long... numbers) {
    if (numbers.length != size) {
      throw new IllegalArgumentException(
          "This position has " + size + " numbers, not " + numbers.length + ".");
    }
    return TInt64.vectorOf(numbers);
  }
}
