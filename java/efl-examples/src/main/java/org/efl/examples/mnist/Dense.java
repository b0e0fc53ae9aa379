package org.efl.examples.mnist;

import java.util.List;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Variable;
import org.tensorflow.types.TFloat32;

/**
 * A dense layer: x · weights + bias.
 *
 * @param weights [inputs, outputs]
 * @param bias [outputs]
 */
record Dense(Variable<TFloat32> weights, Variable<TFloat32> bias) {

  /** The layers of the network; each begins with weights of its own, wherever it is trained. */
  enum Layer {
    LEADER(1),
    FOLLOWER(2),
    OUTPUT(3);

    private final long seed;

    Layer(long seed) {
      this.seed = seed;
    }
  }

  /**
   * Makes a layer. Its weights follow from the seed and the layer alone, uniform within ±√(6 /
   * (inputs + outputs)) (Glorot and Bengio 2010); its bias is 0.
   */
  static Dense create(Ops tf, Layer layer, long seed, long inputs, long outputs) {
    float limit = (float) Math.sqrt(6.0 / (inputs + outputs));
    Operand<TFloat32> uniform =
        tf.random.statelessRandomUniform(tf.array(inputs, outputs), tf.array(seed, layer.seed));
    Operand<TFloat32> weights =
        tf.math.mul(tf.math.sub(uniform, tf.constant(0.5f)), tf.constant(2 * limit));
    Operand<TFloat32> bias = tf.zeros(tf.array(outputs), TFloat32.class);
    return new Dense(
        tf.withName("weights_" + layer).variable(weights),
        tf.withName("bias_" + layer).variable(bias));
  }

  /** x · weights + bias, [batch, outputs]. */
  Operand<TFloat32> apply(Ops tf, Operand<TFloat32> x) {
    return tf.nn.biasAdd(tf.linalg.matMul(x, weights), bias);
  }

  List<Variable<TFloat32>> variables() {
    return List.of(weights, bias);
  }
}
