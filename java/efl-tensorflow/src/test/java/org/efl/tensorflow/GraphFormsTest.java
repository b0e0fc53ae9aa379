package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.Role;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tensorflow.ConcreteFunction;
import org.tensorflow.EagerSession;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Signature;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.proto.GraphDef;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;

@Timeout(60)
class GraphFormsTest {

  /** The loaded graph brings its receives; a communicator of the same name takes them over. */
  @Test
  void shouldWorkInAGraphThatWasSavedAndLoaded() {
    GraphDef saved;
    String receive;
    int port = Party.freePort();
    int peerPort = Party.freePort();
    try (Party party = Party.open(Role.FOLLOWER, port, peerPort, c -> c.name("loaded"))) {
      receive = party.communicator.recv(party.tf, "t", TFloat32.class, Shape.of(-1, 2)).op().name();
      saved = party.graph.toGraphDef();
    }
    try (Pair pair = Pair.open(c -> c, c -> c.name("loaded"))) {
      pair.follower.graph.importGraphDef(saved);
      Op send = pair.leader.send("t", pair.leader.tf.constant(new float[][] {{1, 2}, {3, 4}}));
      pair.connect();
      try (Result result =
          pair.both(
              () -> pair.leader.run(send),
              () -> pair.follower.session().runner().fetch(receive).run())) {
        assertEquals(4f, ((TFloat32) result.get(0)).getFloat(1, 1));
      }
    }
  }

  /** So does what it sends or terminates the reader state of. */
  @Test
  void shouldKnowTheDatasetsOfAGraphThatWasLoaded() {
    GraphDef saved;
    String send;
    String terminate;
    try (Party party =
        Party.open(Role.LEADER, Party.freePort(), Party.freePort(), c -> c.name("loaded"))) {
      Ops tf = party.tf;
      Communicator c = party.communicator;
      send = c.sendReaderState(tf, "sent", tf.constant("block"), tf.constant(7L)).op().name();
      terminate = c.terminateReader(tf, "ended").op().name();
      saved = party.graph.toGraphDef();
    }
    try (Pair pair = Pair.open(c -> c.name("loaded"), c -> c)) {
      pair.leader.graph.importGraphDef(saved);
      Communicator c = pair.follower.communicator;
      ReaderStateOperands sent = c.recvReaderState(pair.follower.tf, "sent");
      ReaderStateOperands ended = c.recvReaderState(pair.follower.tf, "ended");
      pair.connect();
      try (Result result =
          pair.both(
              () -> pair.leader.session().runner().addTarget(send).run(),
              () -> pair.follower.fetch(sent.sampleIndex()))) {
        assertEquals(7, ((TInt64) result.get(0)).getLong());
      }
      Future<?> asking = pair.start(() -> pair.follower.fetch(ended.sampleIndex()));
      pair.leader.session().runner().addTarget(terminate).run().close();
      assertEquals(Code.OUT_OF_RANGE, Pair.failure(asking).code());
    }
  }

  @Test
  void shouldRunAtOnceInAnEagerSession() {
    try (Pair pair = Pair.open().connect();
        EagerSession leading = EagerSession.create();
        EagerSession following = EagerSession.create()) {
      Ops leader = Ops.create(leading);
      Ops follower = Ops.create(following);
      for (int i = 0; i < 3; i++) {
        int value = i;
        int received =
            pair.both(
                () -> {
                  // The peer learns the name when it receives.
                  Pair.until(() -> pair.follower.communicator.pending() == 1);
                  return pair.leader.communicator.send(leader, "t", leader.constant(value));
                },
                () -> {
                  Operand<TInt32> tensor =
                      pair.follower.communicator.recv(follower, "t", TInt32.class);
                  return tensor.asTensor().getInt();
                });
        assertEquals(value, received);
      }
    }
  }

  @Test
  void shouldNotEndOneEagerOpForTheFailureOfAnother() throws Exception {
    try (Pair pair = Pair.open().connect();
        EagerSession session = EagerSession.create();
        EagerSession leading = EagerSession.create()) {
      Ops tf = Ops.create(session);
      Communicator c = pair.follower.communicator;
      Future<Integer> receiving =
          pair.start(() -> c.recv(tf, "t", TInt32.class).asTensor().getInt());
      Pair.until(() -> c.pending() == 1);
      CommunicatorException refused =
          assertThrows(CommunicatorException.class, () -> c.send(tf, "unknown", tf.constant(1)));
      assertEquals(Code.NOT_FOUND, refused.code());
      Ops leader = Ops.create(leading);
      pair.leader.communicator.send(leader, "t", leader.constant(5));
      assertEquals(5, Pair.await(receiving));
    }
  }

  @Test
  void shouldWorkInAFunction() {
    try (Pair pair = Pair.open()) {
      try (ConcreteFunction sendTwice =
              ConcreteFunction.create(
                  tf -> {
                    Operand<TFloat32> input = tf.placeholder(TFloat32.class);
                    Operand<TFloat32> doubled = tf.math.add(input, input);
                    Op send = pair.leader.communicator.send(tf, "t", doubled);
                    return Signature.builder()
                        .input("x", input)
                        .output("y", tf.withControlDependencies(send).identity(doubled))
                        .build();
                  });
          ConcreteFunction receive =
              ConcreteFunction.create(
                  tf ->
                      Signature.builder()
                          .output("t", pair.follower.communicator.recv(tf, "t"))
                          .build())) {
        pair.connect();
        for (float value : new float[] {1.5f, 4}) {
          try (TFloat32 x = TFloat32.scalarOf(value);
              Result result =
                  pair.both(
                      () -> {
                        sendTwice.call(Map.of("x", x)).close();
                        return null;
                      },
                      () -> receive.call(Map.of()))) {
            assertEquals(2 * value, ((TFloat32) result.get(0)).getFloat());
          }
        }
      }
    }
  }

  /**
   * Tensor operations carry the step of the moment, so a new session begins where its peer's does.
   */
  @Test
  void shouldBeginEverySessionAtStepZero() {
    try (Pair pair = Pair.open().connect()) {
      List<Party> parties = Stream.of(pair.leader, pair.follower).toList();
      for (Party party : parties) {
        party.communicator.runAddStep(party.session());
        assertEquals(1, party.communicator.step());
      }
    }
    try (Pair pair = Pair.open()) {
      pair.leader.run(pair.leader.communicator.addStep(pair.leader.tf));
      assertEquals(1, pair.leader.communicator.step());
      pair.connect();
      assertEquals(0, pair.leader.communicator.step());
    }
  }
}
