package org.efl.examples.mnist;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.efl.examples.data.Batch;
import org.efl.examples.data.BlockReader;
import org.efl.examples.data.DataDirectory;
import org.efl.examples.data.VerticalSplit;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Gradients;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.op.core.Variable;
import org.tensorflow.types.TFloat32;

/**
 * The same network, the same batches and the same initial weights in one process: pooled, with the
 * columns of both parties, or with the leader's alone. What the two parties' training is measured
 * against.
 */
public final class LocalTraining {
  private final Path data;
  private final boolean pooled;
  private final Hyperparameters parameters;
  private final Progress progress;
  private Placeholder<TFloat32> followerFeatures;
  private Classifier classifier;
  private Op train;

  private LocalTraining(Path data, boolean pooled, Hyperparameters parameters, PrintStream out) {
    this.data = data;
    this.pooled = pooled;
    this.parameters = parameters;
    progress = new Progress(pooled ? "pooled" : "leader-only", out);
  }

  /** Trains with all columns. */
  public static TrainingRecord pooled(
      Path data, int epochs, Hyperparameters parameters, PrintStream out) throws IOException {
    return new LocalTraining(data, true, parameters, out).run(epochs);
  }

  /** Trains with the leader's columns alone. */
  public static TrainingRecord leaderOnly(
      Path data, int epochs, Hyperparameters parameters, PrintStream out) throws IOException {
    return new LocalTraining(data, false, parameters, out).run(epochs);
  }

  private TrainingRecord run(int epochs) throws IOException {
    try (Graph graph = new Graph();
        Session session = new Session(graph)) {
      build(Ops.create(graph));
      session.initialize();
      progress.begin(0);
      for (int epoch = 1; epoch <= epochs; epoch++) {
        String where = "epoch " + epoch + "/" + epochs;
        forEachBatch(false, runner(session, where));
      }
      double accuracy = evaluate(session);
      progress.say("test accuracy %.4f", accuracy);
      return progress.finish(accuracy, Wire.PLAINTEXT, "");
    }
  }

  private void build(Ops tf) {
    List<Variable<TFloat32>> variables = new ArrayList<>();
    if (pooled) {
      followerFeatures = Classifier.features(tf);
      Dense follower =
          Dense.create(tf, Dense.Layer.FOLLOWER, parameters.seed(), Names.WIDTH, Names.HIDDEN);
      variables.addAll(follower.variables());
      Operand<TFloat32> fc1 = follower.apply(tf, followerFeatures);
      classifier = Classifier.with(tf, parameters.seed(), fc1);
    } else {
      classifier = Classifier.alone(tf, parameters.seed());
    }
    variables.addAll(classifier.variables);
    Gradients gradients = tf.gradients(classifier.loss, variables);
    train = GradientDescent.step(tf, variables, gradients, parameters.learningRate());
  }

  private interface BatchUser {
    void use(Feeds leader, Feeds follower);
  }

  private BatchUser runner(Session session, String where) {
    return (leader, follower) -> {
      try (Result result =
          feed(session, leader, follower).addTarget(train).fetch(classifier.loss).run()) {
        progress.step(where, ((TFloat32) result.get(0)).getFloat());
      }
    };
  }

  private double evaluate(Session session) throws IOException {
    double[] correctAndAll = new double[2];
    forEachBatch(
        true,
        (leader, follower) -> {
          try (Result result = feed(session, leader, follower).fetch(classifier.correct).run()) {
            correctAndAll[0] += ((TFloat32) result.get(0)).getFloat();
            correctAndAll[1] += leader.ids().size();
          }
        });
    return correctAndAll[0] / correctAndAll[1];
  }

  private Session.Runner feed(Session session, Feeds leader, Feeds follower) {
    Session.Runner runner =
        session
            .runner()
            .feed(classifier.features, leader.features())
            .feed(classifier.labels, leader.labels());
    return pooled ? runner.feed(followerFeatures, follower.features()) : runner;
  }

  private void forEachBatch(boolean test, BatchUser user) throws IOException {
    DataDirectory left = directory(true, test);
    DataDirectory right = directory(false, test);
    for (String block : left.blocks()) {
      try (BlockReader leaderReader = left.open(block, 0);
          BlockReader followerReader = right.open(block, 0)) {
        int size = parameters.batchSize();
        for (Batch batch = leaderReader.next(size);
            batch.size() > 0;
            batch = leaderReader.next(size)) {
          Batch other = followerReader.next(size);
          SampleIds.check(block, batch.ids(), other.ids());
          try (Feeds leader = Feeds.of(batch);
              Feeds follower = Feeds.of(other)) {
            user.use(leader, follower);
          }
        }
      }
    }
  }

  private DataDirectory directory(boolean leader, boolean test) {
    return new DataDirectory(data.resolve(VerticalSplit.name(leader, test)), Names.WIDTH, leader);
  }
}
