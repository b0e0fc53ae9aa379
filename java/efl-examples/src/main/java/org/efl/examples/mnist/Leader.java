package org.efl.examples.mnist;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.efl.examples.data.Batch;
import org.efl.examples.data.BlockReader;
import org.efl.examples.data.DataDirectory;
import org.efl.tensorflow.Communicator;
import org.efl.tensorflow.SavedPosition;
import org.efl.tensorflow.TrainingSession;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Gradients;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.TString;

/**
 * The party with the labels. It leads: it says which block is read from which sample on, sends the
 * ids of each batch, and tells the follower when the data end.
 *
 * <p>A block ends with an empty batch, whose ids are checked like the others, so that blocks of
 * different length are found out at once.
 */
public final class Leader {
  static final String OTHER_SAMPLES = "Leader and follower have different samples in this batch.";

  private final PartySetup setup;
  private final Communicator communicator;
  private final Progress progress;

  private Placeholder<TInt64> ids;
  private SavedPosition position;
  private Classifier classifier;
  private Op sendFc1Grad;
  private Op train;
  private Dataset training;
  private Dataset testing;

  /** Prepares a training; nothing is built or sent yet. */
  public Leader(PartySetup setup) {
    this.setup = setup;
    communicator = setup.communicator();
    progress = new Progress("leader", setup.out());
  }

  /**
   * Trains, then tests, with the follower. Blocks until both are done.
   *
   * @param epochs how often the training data are gone through
   * @param wire what the record says of the connection
   * @throws org.efl.communicator.CommunicatorException when the connection or the follower fails
   * @throws SampleMismatchException when the follower reads other samples
   */
  public TrainingRecord run(int epochs, Wire wire) throws IOException {
    if (epochs < 0) {
      throw new IllegalArgumentException("The epochs must not be negative: " + epochs);
    }
    try (Graph graph = new Graph()) {
      build(Ops.create(graph));
      try (TrainingSession session = setup.session(graph)) {
        double accuracy = session.train(running -> trainAndTest(running, epochs));
        return progress.finish(accuracy, wire, setup.modelDigest());
      }
    }
  }

  /** From where the session stands, to the end. Begins anew after the follower was lost. */
  private double trainAndTest(TrainingSession session, int epochs) throws IOException {
    train(session, epochs);
    double accuracy = test(session.session());
    progress.say("test accuracy %.4f", accuracy);
    return accuracy;
  }

  private void build(Ops tf) throws IOException {
    Hyperparameters parameters = setup.parameters();
    ids = tf.placeholder(TInt64.class, Placeholder.shape(Shape.of(-1)));
    Operand<TFloat32> fc1 =
        communicator.recv(tf, Names.FC1, TFloat32.class, Shape.of(-1, Names.HIDDEN));
    Operand<TFloat32> checkedFc1 = withRowsOfBatch(tf, fc1);
    classifier = Classifier.with(tf, parameters.seed(), checkedFc1);

    List<Operand<TFloat32>> inputs = new ArrayList<>(classifier.variables);
    inputs.add(checkedFc1);
    Gradients gradients = tf.gradients(classifier.loss, inputs);
    Operand<TFloat32> fc1Grad = gradients.dy(inputs.size() - 1);
    sendFc1Grad = communicator.send(tf, Names.FC1_GRAD, fc1Grad);
    train = GradientDescent.step(tf, classifier.variables, gradients, parameters.learningRate());

    position = SavedPosition.create(tf, "reader_position", 3);
    training = new Dataset(tf, Names.TRAIN, setup.directory(true, false));
    testing = new Dataset(tf, Names.TEST, setup.directory(true, true));
  }

  /** The follower answers ids that are not its own with another number of rows. */
  private Operand<TFloat32> withRowsOfBatch(Ops tf, Operand<TFloat32> fc1) {
    Operand<TBool> same =
        tf.math.equal(tf.shape.size(fc1, tf.constant(0)), tf.shape.size(ids, tf.constant(0)));
    Op sameRows =
        tf.assertThat(tf.reduceAll(same, tf.constant(0)), List.of(tf.constant(OTHER_SAMPLES)));
    return tf.withControlDependencies(sameRows).identity(fc1);
  }

  private void train(TrainingSession session, int epochs) throws IOException {
    List<String> blocks = training.blocks;
    progress.begin(session.step());
    ReaderPosition at = ReaderPosition.of(position.of(session.session()));
    if (at.block() >= blocks.size()) {
      throw new IOException(
          "The checkpoint belongs to other data: it stands in file " + (at.block() + 1) + ".");
    }
    for (; at.epoch() < epochs; at = at.nextBlock(blocks.size())) {
      String block = blocks.get(at.block());
      String where = "epoch " + (at.epoch() + 1) + "/" + epochs;
      training.announce(session.session(), block, at.sample());
      try (BlockReader reader = training.data.open(block, at.sample())) {
        for (Batch batch = nextBatch(reader); batch.size() > 0; batch = nextBatch(reader)) {
          ReaderPosition next = new ReaderPosition(at.epoch(), at.block(), reader.position());
          progress.step(where, step(session, batch, next));
        }
      }
      forward(session.session(), training, Feeds.zeros(0));
    }
    training.terminate(session.session());
  }

  private double step(TrainingSession session, Batch batch, ReaderPosition next) {
    try (Feeds feeds = Feeds.of(batch);
        TInt64 kept = position.at(next.epoch(), next.block(), next.sample());
        Result result =
            session.run(
                run ->
                    position
                        .move(feed(run, feeds), kept)
                        .addTarget(training.sendIds)
                        .addTarget(sendFc1Grad)
                        .addTarget(train)
                        .fetch(classifier.loss))) {
      return ((TFloat32) result.get(0)).getFloat();
    } catch (RuntimeException e) {
      throw explain(e);
    }
  }

  private double test(Session session) throws IOException {
    double correct = 0;
    long samples = 0;
    for (String block : testing.blocks) {
      testing.announce(session, block, 0);
      try (BlockReader reader = testing.data.open(block, 0)) {
        for (Batch batch = nextBatch(reader); batch.size() > 0; batch = nextBatch(reader)) {
          correct += forward(session, testing, Feeds.of(batch));
          samples += batch.size();
        }
      }
      forward(session, testing, Feeds.zeros(0));
    }
    testing.terminate(session);
    return correct / samples;
  }

  /** Runs the network on a batch without training it, and says how many samples it got right. */
  private double forward(Session session, Dataset dataset, Feeds feeds) {
    try (feeds;
        Result result =
            feed(session.runner(), feeds)
                .addTarget(dataset.sendIds)
                .fetch(classifier.correct)
                .run()) {
      return ((TFloat32) result.get(0)).getFloat();
    } catch (RuntimeException e) {
      throw explain(Communicator.translate(e));
    }
  }

  private Session.Runner feed(Session.Runner runner, Feeds feeds) {
    return runner
        .feed(ids, feeds.ids())
        .feed(classifier.features, feeds.features())
        .feed(classifier.labels, feeds.labels());
  }

  private static RuntimeException explain(RuntimeException failure) {
    String message = failure.getMessage();
    return message != null && message.contains(OTHER_SAMPLES)
        ? new SampleMismatchException(OTHER_SAMPLES, failure)
        : failure;
  }

  private Batch nextBatch(BlockReader reader) throws IOException {
    return reader.next(setup.parameters().batchSize());
  }

  /** The ops that lead the follower through one data set, and this party's part of it. */
  private final class Dataset {
    final DataDirectory data;
    final List<String> blocks;
    final Op sendIds;
    private final Placeholder<TString> block;
    private final Placeholder<TInt64> sample;
    private final Op sendState;
    private final Op terminate;

    Dataset(Ops tf, String name, DataDirectory data) throws IOException {
      this.data = data;
      blocks = data.blocks();
      sendIds = communicator.send(tf, Names.sampleIds(name), ids);
      block = tf.placeholder(TString.class, Placeholder.shape(Shape.scalar()));
      sample = tf.placeholder(TInt64.class, Placeholder.shape(Shape.scalar()));
      sendState = communicator.sendReaderState(tf, name, block, sample);
      terminate = communicator.terminateReader(tf, name);
    }

    void announce(Session session, String blockId, long firstSample) {
      try (Tensor blockTensor = TString.scalarOf(blockId);
          Tensor sampleTensor = TInt64.scalarOf(firstSample)) {
        runTarget(session.runner().feed(block, blockTensor).feed(sample, sampleTensor), sendState);
      }
    }

    void terminate(Session session) {
      runTarget(session.runner(), terminate);
    }

    private void runTarget(Session.Runner runner, Op target) {
      try {
        runner.addTarget(target).run().close();
      } catch (RuntimeException e) {
        throw Communicator.translate(e);
      }
    }
  }
}
