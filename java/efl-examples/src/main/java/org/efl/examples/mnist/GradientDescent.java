package org.efl.examples.mnist;

import java.util.ArrayList;
import java.util.List;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Gradients;
import org.tensorflow.op.core.Variable;
import org.tensorflow.types.TFloat32;

/** Plain stochastic gradient descent. */
final class GradientDescent {
  private GradientDescent() {}

  /**
   * Moves each variable against its gradient.
   *
   * @param gradients begins with one gradient for each variable, in their order; no variable moves
   *     before all of these are computed, for they are computed from the variables
   * @return the op that does it
   */
  static Op step(
      Ops tf, List<Variable<TFloat32>> variables, Gradients gradients, float learningRate) {
    List<Op> computed = new ArrayList<>(gradients.dy());
    Ops after = tf.withControlDependencies(computed);
    List<Op> updates = new ArrayList<>();
    for (int i = 0; i < variables.size(); i++) {
      updates.add(
          after.train.applyGradientDescent(
              variables.get(i), tf.constant(learningRate), gradients.<TFloat32>dy(i)));
    }
    return tf.withControlDependencies(updates).noOp();
  }
}
