package org.efl.examples.mnist;

import java.util.ArrayList;
import java.util.List;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.op.core.Variable;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;

/**
 * The leader's part of the network: its own dense layer, what the follower makes of its features
 * added to it, relu, the output layer, and how wrong it is.
 */
final class Classifier {
  final Placeholder<TFloat32> features;
  final Placeholder<TFloat32> labels;

  /** Mean softmax cross-entropy of the batch, scalar. */
  final Operand<TFloat32> loss;

  /** How many samples of the batch get the right label, scalar. */
  final Operand<TFloat32> correct;

  /** What is trained. */
  final List<Variable<TFloat32>> variables = new ArrayList<>();

  /** With the follower's part added. */
  static Classifier with(Ops tf, long seed, Operand<TFloat32> fc1) {
    return new Classifier(tf, seed, fc1);
  }

  /** With the leader's features alone. */
  static Classifier alone(Ops tf, long seed) {
    return new Classifier(tf, seed, null);
  }

  private Classifier(Ops tf, long seed, Operand<TFloat32> fc1) {
    features = features(tf);
    labels = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(-1)));
    Dense own = Dense.create(tf, Dense.Layer.LEADER, seed, Names.WIDTH, Names.HIDDEN);
    Dense output = Dense.create(tf, Dense.Layer.OUTPUT, seed, Names.HIDDEN, Names.CLASSES);
    variables.addAll(own.variables());
    variables.addAll(output.variables());

    Operand<TFloat32> mine = own.apply(tf, features);
    Operand<TFloat32> hidden = tf.nn.relu(fc1 == null ? mine : tf.math.add(mine, fc1));
    Operand<TFloat32> logits = output.apply(tf, hidden);
    loss = loss(tf, logits, labels);
    correct = correct(tf, logits, labels);
  }

  /** Where one party's half of the images goes in. */
  static Placeholder<TFloat32> features(Ops tf) {
    return tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(-1, Names.WIDTH)));
  }

  private static Operand<TFloat32> loss(
      Ops tf, Operand<TFloat32> logits, Operand<TFloat32> labels) {
    Operand<TFloat32> oneHot =
        tf.oneHot(
            tf.dtypes.cast(labels, TInt32.class),
            tf.constant((int) Names.CLASSES),
            tf.constant(1f),
            tf.constant(0f));
    return tf.math.mean(tf.nn.softmaxCrossEntropyWithLogits(logits, oneHot).loss(), tf.constant(0));
  }

  private static Operand<TFloat32> correct(
      Ops tf, Operand<TFloat32> logits, Operand<TFloat32> labels) {
    Operand<TInt64> predicted = tf.math.argMax(logits, tf.constant(1));
    return tf.reduceSum(
        tf.dtypes.cast(
            tf.math.equal(predicted, tf.dtypes.cast(labels, TInt64.class)), TFloat32.class),
        tf.constant(0));
  }
}
