package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Future;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.DType;
import org.efl.communicator.EflsPeer;
import org.efl.communicator.Elements;
import org.efl.communicator.Protos;
import org.efl.communicator.Role;
import org.efl.proto.GetCheckpointVersionResponse;
import org.efl.proto.GetReaderStateResponse;
import org.efl.proto.MessageRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.op.Op;
import org.tensorflow.op.core.Variable;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.TString;

/** A whole training session with an EFLS party at the other end, which knows no extension. */
@Timeout(60)
class EflsTrainingTest {
  @TempDir Path folder;

  @Test
  void shouldTrainWithAnEflsFollower() throws Exception {
    assertEquals(10f, leadAnEflsFollower(""));
    assertEquals(20f, leadAnEflsFollower("1"));
    assertEquals(List.of("1", "2"), versions());
  }

  private float leadAnEflsFollower(String version) throws Exception {
    try (EflsPeer efls = EflsPeer.listen(EflsPeer.Security.PLAIN, "");
        Party party = party(Role.LEADER, efls);
        Pair threads = Pair.open()) {
      efls.service().register("delta");
      Future<Float> leading = threads.start(() -> lead(party));

      Pair.await(efls.connect());
      assertEquals(version, Pair.await(efls.checkpointVersion()).getVersion());
      GetReaderStateResponse state = Pair.await(efls.readerState("train"));
      assertEquals("data_3.tfrd", state.getBlockId());
      assertEquals(768, state.getOffset());
      assertEquals(bytes(2), Pair.await(efls.service().receive("delta", 0)).getTensorContent());
      assertEquals(0, Pair.await(efls.send(message("answer", 10))).getCodeValue());
      assertEquals(
          Code.OUT_OF_RANGE.number(), Pair.await(efls.readerState("train")).getCodeValue());
      return Pair.await(leading);
    }
  }

  private float lead(Party party) {
    Communicator c = party.communicator;
    Variable<TFloat32> sum = party.tf.variable(party.tf.constant(0f));
    Op state =
        c.sendReaderState(
            party.tf, "train", party.tf.constant("data_3.tfrd"), party.tf.constant(768L));
    Op send = party.send("delta", party.tf.constant(2f));
    Op train =
        party.tf.withControlDependencies(state, send).assignAdd(sum, c.recv(party.tf, "answer"));
    Op terminate = c.terminateReader(party.tf, "train");
    try (TrainingSession session = session(party)) {
      session.run(runner -> runner.addTarget(train)).close();
      session.session().runner().addTarget(terminate).run().close();
      return value(session, sum);
    }
  }

  @Test
  void shouldTrainWithAnEflsLeader() throws Exception {
    assertEquals(10f, followAnEflsLeader(""));
    assertEquals(20f, followAnEflsLeader("1"));
    assertEquals(List.of("1", "2"), versions());
  }

  private float followAnEflsLeader(String version) throws Exception {
    try (EflsPeer efls = EflsPeer.listen(EflsPeer.Security.PLAIN, "");
        Party party = party(Role.FOLLOWER, efls);
        Pair threads = Pair.open()) {
      efls.service().register("answer");
      efls.service().answerCheckpointVersion(versionOf(version));
      efls.service()
          .answerReaderState(
              "train",
              GetReaderStateResponse.newBuilder().setBlockId("data_3.tfrd").setOffset(768).build());
      Future<Float> following = threads.start(() -> follow(party));

      Pair.await(efls.service().connected());
      assertEquals(0, Pair.await(efls.send(message("delta", 10))).getCodeValue());
      assertEquals(bytes(-10), Pair.await(efls.service().receive("answer", 0)).getTensorContent());
      efls.service()
          .answerReaderState(
              "train",
              GetReaderStateResponse.newBuilder().setCodeValue(Code.OUT_OF_RANGE.number()).build());
      return Pair.await(following);
    }
  }

  private float follow(Party party) {
    Communicator c = party.communicator;
    Variable<TFloat32> sum = party.tf.variable(party.tf.constant(0f));
    ReaderStateOperands state = c.recvReaderState(party.tf, "train");
    Operand<TFloat32> delta = c.recv(party.tf, "delta");
    Op answer = party.send("answer", party.tf.math.neg(delta));
    Op train = party.tf.withControlDependencies(answer).assignAdd(sum, delta);
    try (TrainingSession session = session(party)) {
      try (Result read = session.run(runner -> fetch(runner.addTarget(train), state))) {
        assertEquals("data_3.tfrd", ((TString) read.get(0)).getObject());
        assertEquals(768, ((TInt64) read.get(1)).getLong());
      }
      RuntimeException end =
          assertThrows(
              RuntimeException.class,
              () -> session.run(runner -> fetch(runner.addTarget(train), state)));
      assertTrue(TrainingSession.isEndOfData(end), end.toString());
      return value(session, sum);
    }
  }

  @Test
  void shouldFailWhenAnEflsLeaderWantsACheckpointThatIsNotHere() throws Exception {
    try (EflsPeer efls = EflsPeer.listen(EflsPeer.Security.PLAIN, "");
        Party party = party(Role.FOLLOWER, efls);
        Pair threads = Pair.open()) {
      efls.service().answerCheckpointVersion(versionOf("7"));

      CommunicatorException e = Pair.failure(threads.start(() -> session(party)));

      assertEquals(Code.FAILED_PRECONDITION, e.code());
      assertTrue(e.reason().contains("wants checkpoint 7; here is no checkpoint"), e.reason());
    }
  }

  private static Party party(Role role, EflsPeer efls) throws Exception {
    Party party = Party.open(role, 0, efls.port(), settings -> settings);
    efls.dial(party.communicator.port());
    return party;
  }

  private TrainingSession session(Party party) {
    return TrainingSession.builder(party.graph)
        .hook(party.communicator.hook())
        .hook(
            CheckpointHook.builder(folder.resolve("checkpoints"))
                .communicator(party.communicator)
                .build())
        .build();
  }

  private static Session.Runner fetch(Session.Runner runner, ReaderStateOperands state) {
    return runner.fetch(state.blockId()).fetch(state.sampleIndex());
  }

  private static float value(TrainingSession session, Variable<TFloat32> variable) {
    try (Result result = session.session().runner().fetch(variable).run()) {
      return ((TFloat32) result.get(0)).getFloat();
    }
  }

  private List<String> versions() {
    return new CheckpointStore(folder.resolve("checkpoints"), 9).versions();
  }

  private static GetCheckpointVersionResponse versionOf(String version) {
    return GetCheckpointVersionResponse.newBuilder().setVersion(version).build();
  }

  private static MessageRequest message(String name, float element) {
    return Protos.message(name, 0, Protos.tensor(DType.FLOAT, bytes(element)));
  }

  private static ByteString bytes(float element) {
    return Elements.bytes(Elements.floats(element));
  }
}
