package org.efl.examples.mnist;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.efl.communicator.ReaderState;
import org.efl.examples.data.Batch;
import org.efl.examples.data.BlockReader;
import org.efl.examples.data.DataDirectory;
import org.efl.tensorflow.Communicator;
import org.efl.tensorflow.ReaderStateOperands;
import org.efl.tensorflow.TrainingSession;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.StdArrays;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Gradients;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.TString;

/**
 * The party with more features of the same samples. It follows: it asks the leader which block to
 * read, sends what its layer makes of each batch, and trains the layer with the gradient that comes
 * back. It never sees a label, nor the leader a feature.
 */
public final class Follower {
  private final PartySetup setup;
  private final Communicator communicator;
  private final Progress progress;

  private Placeholder<TFloat32> features;
  private Op sendFc1;
  private Op train;
  private Dataset training;
  private Dataset testing;

  /** Prepares a training; nothing is built or sent yet. */
  public Follower(PartySetup setup) {
    this.setup = setup;
    communicator = setup.communicator();
    progress = new Progress("follower", setup.out());
  }

  /**
   * Trains, then tests, with the leader, until it ends the data. Blocks until both are done.
   *
   * @param wire what the record says of the connection
   * @throws org.efl.communicator.CommunicatorException when the connection or the leader fails
   * @throws SampleMismatchException when the leader reads other samples
   */
  public TrainingRecord run(Wire wire) throws IOException {
    try (Graph graph = new Graph()) {
      build(Ops.create(graph));
      try (TrainingSession session = setup.session(graph)) {
        double accuracy = session.train(this::trainAndTest);
        return progress.finish(accuracy, wire, setup.modelDigest());
      }
    }
  }

  /** From where the leader says, to the end. Begins anew after the leader was lost. */
  private double trainAndTest(TrainingSession session) throws IOException {
    train(session);
    test(session.session());
    return TrainingRecord.NO_ACCURACY;
  }

  private void build(Ops tf) throws IOException {
    Hyperparameters parameters = setup.parameters();
    Dense dense =
        Dense.create(tf, Dense.Layer.FOLLOWER, parameters.seed(), Names.WIDTH, Names.HIDDEN);
    features = Classifier.features(tf);
    Operand<TFloat32> fc1 = dense.apply(tf, features);
    sendFc1 = communicator.send(tf, Names.FC1, fc1);

    Operand<TFloat32> fc1Grad =
        communicator.recv(tf, Names.FC1_GRAD, TFloat32.class, Shape.of(-1, Names.HIDDEN));
    Gradients gradients = tf.gradients(fc1, dense.variables(), Gradients.dx(List.of(fc1Grad)));
    train = GradientDescent.step(tf, dense.variables(), gradients, parameters.learningRate());
    training = new Dataset(tf, Names.TRAIN, setup.directory(false, false));
    testing = new Dataset(tf, Names.TEST, setup.directory(false, true));
  }

  private void train(TrainingSession session) throws IOException {
    progress.begin(session.step());
    training.forEachBatch(
        session.session(),
        (block, feeds) -> {
          session
              .run(run -> run.feed(features, feeds.features()).addTarget(sendFc1).addTarget(train))
              .close();
          progress.step(block);
        });
  }

  private void test(Session session) throws IOException {
    testing.forEachBatch(session, (block, feeds) -> forward(session, feeds));
    progress.say("tested with the leader");
  }

  private void forward(Session session, Feeds feeds) {
    try {
      session.runner().feed(features, feeds.features()).addTarget(sendFc1).run().close();
    } catch (RuntimeException e) {
      throw Communicator.translate(e);
    }
  }

  private interface BatchUser {
    void use(String block, Feeds feeds);
  }

  /** The ops by which the leader leads through one data set, and this party's part of it. */
  private final class Dataset {
    private final DataDirectory data;
    private final Operand<TInt64> leaderIds;
    private final ReaderStateOperands state;

    Dataset(Ops tf, String name, DataDirectory data) throws IOException {
      this.data = data;
      // Data that are missing are reported before the leader is kept waiting.
      data.blocks();
      leaderIds = communicator.recv(tf, Names.sampleIds(name), TInt64.class, Shape.of(-1));
      state = communicator.recvReaderState(tf, name);
    }

    /** Reads what the leader says, until it says that the data end. */
    void forEachBatch(Session session, BatchUser user) throws IOException {
      for (Optional<ReaderState> next = nextBlock(session);
          next.isPresent();
          next = nextBlock(session)) {
        String block = next.get().blockId();
        try (BlockReader reader = data.open(block, next.get().sampleIndex())) {
          for (Batch batch = nextBatch(session, block, reader);
              batch.size() > 0;
              batch = nextBatch(session, block, reader)) {
            try (Feeds feeds = Feeds.of(batch)) {
              user.use(block, feeds);
            }
          }
        }
        try (Feeds end = Feeds.zeros(0)) {
          forward(session, end);
        }
      }
    }

    private Optional<ReaderState> nextBlock(Session session) {
      try (Result result =
          session.runner().fetch(state.blockId()).fetch(state.sampleIndex()).run()) {
        String blockId = ((TString) result.get(0)).getObject();
        return Optional.of(new ReaderState(blockId, ((TInt64) result.get(1)).getLong()));
      } catch (RuntimeException e) {
        RuntimeException failure = Communicator.translate(e);
        if (TrainingSession.isEndOfData(failure)) {
          return Optional.empty();
        }
        throw failure;
      }
    }

    /** The next batch, when it holds the samples that the leader has in its own. */
    private Batch nextBatch(Session session, String block, BlockReader reader) throws IOException {
      Batch batch = reader.next(setup.parameters().batchSize());
      long[] leaders = receiveIds(session);
      try {
        SampleIds.check(block, leaders, batch.ids());
      } catch (SampleMismatchException e) {
        tellLeader(session, leaders.length);
        throw e;
      }
      return batch;
    }

    private long[] receiveIds(Session session) {
      try (Result result = session.runner().fetch(leaderIds).run()) {
        return StdArrays.array1dCopyOf((TInt64) result.get(0));
      } catch (RuntimeException e) {
        throw Communicator.translate(e);
      }
    }

    /** A number of rows that the leader doesn't expect says that the samples differ. */
    private void tellLeader(Session session, int leaderRows) {
      try (Feeds other = Feeds.zeros(leaderRows == 0 ? 1 : 0)) {
        forward(session, other);
      }
    }
  }
}
