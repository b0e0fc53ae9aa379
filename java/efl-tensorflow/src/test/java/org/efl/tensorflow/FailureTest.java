package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.Future;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.SendCompletion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tensorflow.DeviceSpec;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Operation;
import org.tensorflow.Session;
import org.tensorflow.exceptions.TensorFlowException;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.proto.ConfigProto;
import org.tensorflow.proto.DataType;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.TString;

/** Default timeouts are two minutes, the tests' one: whatever fails here fails at once. */
@Timeout(60)
class FailureTest {
  /** Of an operation that has to be overdue; the connect has no more. */
  private static final Duration SHORT = Duration.ofSeconds(4);

  @Test
  void shouldFailBothEndsOnAnotherType() {
    try (Pair pair = Pair.open()) {
      Op send = pair.leader.send("t", pair.leader.tf.constant(new float[] {1, 2}));
      Operand<TInt64> receive =
          pair.follower.communicator.recv(pair.follower.tf, "t", TInt64.class);
      pair.connect();
      Future<?> receiving = pair.start(() -> pair.follower.fetch(receive));
      CommunicatorException sent = Pair.failure(pair.start(() -> pair.leader.run(send)));
      CommunicatorException received = Pair.failure(receiving);
      assertEquals(Code.INVALID_ARGUMENT, sent.code());
      assertEquals("send tensor", sent.operation());
      assertEquals(Code.INVALID_ARGUMENT, received.code());
      assertEquals("receive tensor", received.operation());
    }
  }

  @Test
  void shouldFailBothEndsOnAnotherShape() {
    try (Pair pair = Pair.open()) {
      Op send = pair.leader.send("t", pair.leader.tf.constant(new float[] {1, 2}));
      Operand<TFloat32> receive =
          pair.follower.communicator.recv(pair.follower.tf, "t", TFloat32.class, Shape.of(-1, 2));
      pair.connect();
      Future<?> receiving = pair.start(() -> pair.follower.fetch(receive));
      CommunicatorException sent = Pair.failure(pair.start(() -> pair.leader.run(send)));
      assertEquals(Code.INVALID_ARGUMENT, sent.code());
      assertEquals(Code.INVALID_ARGUMENT, Pair.failure(receiving).code());
    }
  }

  @Test
  void shouldRefuseATensorThatThePeerDoesNotKnow() {
    try (Pair pair = Pair.open()) {
      Op send = pair.leader.send("nobody asks", pair.leader.tf.constant(1f));
      pair.connect();
      CommunicatorException e = Pair.failure(pair.start(() -> pair.leader.run(send)));
      assertEquals(Code.NOT_FOUND, e.code());
      assertEquals("nobody asks", e.name());
    }
  }

  @Test
  void shouldRefuseTheSameNameTwiceInOneDirection() {
    try (Pair pair = Pair.open()) {
      pair.leader.send("a", pair.leader.tf.constant(1f));
      var sendAgain =
          assertThrows(
              IllegalArgumentException.class,
              () -> pair.leader.send("a", pair.leader.tf.constant(2f)));
      assertTrue(sendAgain.getMessage().contains("'a'"), sendAgain.getMessage());
      pair.leader.communicator.recv(pair.leader.tf, "a");
      var receiveAgain =
          assertThrows(
              IllegalArgumentException.class,
              () -> pair.leader.communicator.recv(pair.leader.tf, "a"));
      assertTrue(receiveAgain.getMessage().contains("'a'"), receiveAgain.getMessage());
    }
  }

  @Test
  void shouldRefuseANameThatIsKnownWithAnotherType() {
    try (Pair pair = Pair.open();
        Party other = new Party(pair.leader.communicator)) {
      pair.leader.communicator.recv(pair.leader.tf, "a", TFloat32.class);
      CommunicatorException e =
          assertThrows(
              CommunicatorException.class,
              () -> pair.leader.communicator.recv(other.tf, "a", TInt64.class));
      assertEquals(Code.ALREADY_EXISTS, e.code());
      // The graph didn't get it, so the name is still free there.
      pair.leader.communicator.recv(other.tf, "a", TFloat32.class);
    }
  }

  @Test
  void shouldSayWhichOpFindsNoCommunicatorOfItsName() {
    try (Graph graph = new Graph();
        Session session = new Session(graph)) {
      Operation receive =
          graph
              .opBuilder("EflRecvTensor", "receive", graph.baseScope())
              .setAttr("communicator", "nobody")
              .setAttr("tensor_name", "x")
              .setAttr("dtype", DataType.DT_FLOAT)
              .setAttr("shape", Shape.unknown())
              .build();
      RuntimeException thrown =
          assertThrows(RuntimeException.class, () -> session.runner().addTarget(receive).run());
      CommunicatorException e =
          assertInstanceOf(CommunicatorException.class, Communicator.translate(thrown));
      assertEquals(
          "NOT_FOUND: receive tensor 'x': this process has no peer named 'nobody'",
          e.getMessage().lines().findFirst().orElseThrow());
    }
  }

  @Test
  void shouldRefuseEverythingBeforeTheConnection() {
    try (Pair pair = Pair.open()) {
      Op send = pair.leader.send("t", pair.leader.tf.constant(1f));
      CommunicatorException e = Pair.failure(pair.start(() -> pair.leader.run(send)));
      assertEquals(Code.FAILED_PRECONDITION, e.code());
    }
  }

  @Test
  void shouldSayWhatFailedOutOfASessionRun() {
    try (Pair pair = Pair.open(c -> c.defaultTimeout(SHORT))) {
      Operand<TFloat32> receive = pair.follower.communicator.recv(pair.follower.tf, "fc1");
      pair.connect();
      pair.follower.communicator.runAddStep(pair.follower.session());
      CommunicatorException e = Pair.failure(pair.start(() -> pair.follower.fetch(receive)));
      assertEquals(Code.DEADLINE_EXCEEDED, e.code());
      assertEquals("receive tensor", e.operation());
      assertEquals("fc1", e.name());
      assertEquals(1, e.step());
      assertTrue(e.peer().contains("localhost:"), e.peer());
      assertInstanceOf(TensorFlowException.class, e.getCause());
    }
  }

  @Test
  void shouldLeaveOtherExceptionsAsTheyAre() {
    RuntimeException other = new IllegalStateException("INTERNAL affairs");
    assertSame(other, Communicator.translate(other));
    RuntimeException silent = new RuntimeException();
    assertSame(silent, Communicator.translate(silent));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void shouldEndTheWholeRunOfBothPartiesWhenOneOpFails(int devices) {
    ConfigProto config = ConfigProto.newBuilder().putDeviceCount("CPU", devices).build();
    // So that a send waits too.
    try (Pair pair = Pair.open(c -> c.sendCompletion(SendCompletion.CONSUMED))) {
      Ops last = onDevice(pair.leader.tf, devices - 1);
      Op wrong = pair.follower.send("wrong", pair.follower.tf.constant(1L));
      Op waits = pair.follower.send("asked for too late", pair.follower.tf.constant(1f));
      Operand<TFloat32> followerWaits =
          pair.follower.communicator.recv(pair.follower.tf, "never sent");
      Communicator c = pair.leader.communicator;
      Operand<TFloat32> refused = c.recv(pair.leader.tf, "wrong", TFloat32.class);
      Operand<TFloat32> leaderWaits = c.recv(last, "never sent either");
      c.recv(pair.leader.tf, "asked for too late");
      pair.connect(config);
      Future<?> leading = pair.start(() -> pair.leader.fetch(refused, leaderWaits));
      Future<?> following = pair.start(() -> pair.follower.run(wrong, waits, followerWaits));
      assertTypeOfWrong(Pair.failure(leading), "receive tensor");
      assertTypeOfWrong(Pair.failure(following), "send tensor");
      assertEquals(0, c.pending());
      assertEquals(0, pair.follower.communicator.pending());
    }
  }

  private static Ops onDevice(Ops tf, int index) {
    return tf.withDevice(
        DeviceSpec.newBuilder().deviceType(DeviceSpec.DeviceType.CPU).deviceIndex(index).build());
  }

  private static void assertTypeOfWrong(CommunicatorException e, String operation) {
    assertEquals(Code.INVALID_ARGUMENT, e.code(), e.getMessage());
    assertEquals(operation, e.operation());
    assertEquals("wrong", e.name());
  }

  @Test
  void shouldTellWhatAnOpItselfHasFoundBeforeTheOthersOfItsRun() {
    try (Pair pair = Pair.open()) {
      Ops tf = pair.follower.tf;
      Communicator c = pair.follower.communicator;
      Operand<TString> block = tf.placeholder(TString.class);
      Op state = c.sendReaderState(tf, "train", block, tf.constant(1L));
      Operand<TFloat32> one = c.recv(tf, "never sent");
      Operand<TFloat32> two = c.recv(tf, "never sent either");
      pair.connect();
      try (TString vector = TString.vectorOf("a", "b")) {
        Session.Runner run = pair.follower.session().runner().feed(block, vector);
        RuntimeException thrown =
            assertThrows(
                RuntimeException.class, () -> run.fetch(one).fetch(two).addTarget(state).run());
        CommunicatorException e =
            assertInstanceOf(CommunicatorException.class, Communicator.translate(thrown));
        assertEquals(Code.INVALID_ARGUMENT, e.code(), e.getMessage());
        assertEquals("send reader state", e.operation());
      }
      assertEquals(0, c.pending());
    }
  }

  /** TensorFlow tells a waiting op nothing of it, so the timeout is what ends the run. */
  @Test
  void shouldEndARunInWhichAnotherOpFails() {
    try (Pair pair = Pair.open(c -> c.defaultTimeout(SHORT))) {
      Ops tf = pair.follower.tf;
      Operand<TFloat32> receive = pair.follower.communicator.recv(tf, "t");
      Operand<TFloat32> number = tf.placeholder(TFloat32.class);
      Operand<TFloat32> fails = tf.debugging.checkNumerics(number, "not a number");
      pair.connect();
      try (TFloat32 nan = TFloat32.scalarOf(Float.NaN)) {
        Session.Runner run =
            pair.follower.session().runner().feed(number, nan).fetch(fails).fetch(receive);
        RuntimeException e = assertThrows(RuntimeException.class, run::run);
        assertSame(e, Communicator.translate(e));
        assertTrue(e.getMessage().contains("not a number"), e.getMessage());
      }
    }
  }

  @Test
  void shouldTellAFailureOfThePeerAsThePeers() {
    RuntimeException shown =
        new RuntimeException(
            "ABORTED: receive tensor 'a' step 2, peer bob:2: the peer failed; INVALID_ARGUMENT: "
                + "send tensor 'b' step 2, peer alice:1: no\n\t [[{{node x}}]]");
    CommunicatorException e =
        assertInstanceOf(CommunicatorException.class, Communicator.translate(shown));
    assertEquals(Code.ABORTED, e.code());
    assertEquals("a", e.name());
    assertSame(shown, e.getCause());
  }

  @Test
  void shouldGoOnAfterAFailedRun() {
    try (Pair pair = Pair.open()) {
      Op wrong = pair.leader.send("wrong", pair.leader.tf.constant(1L));
      Op right = pair.leader.send("right", pair.leader.tf.constant(3f));
      Communicator c = pair.follower.communicator;
      Operand<TFloat32> refused = c.recv(pair.follower.tf, "wrong", TFloat32.class);
      Operand<TFloat32> taken = c.recv(pair.follower.tf, "right", TFloat32.class);
      pair.connect();
      Future<?> failing = pair.start(() -> pair.follower.fetch(refused));
      Pair.failure(pair.start(() -> pair.leader.run(wrong)));
      Pair.failure(failing);
      try (var result = pair.both(() -> pair.leader.run(right), () -> pair.follower.fetch(taken))) {
        assertEquals(3f, ((TFloat32) result.get(0)).getFloat());
      }
    }
  }

  @Test
  void shouldRefuseEverythingAfterTheShutdown() {
    try (Pair pair = Pair.open()) {
      Party party = pair.leader;
      Op send = party.send("t", party.tf.constant(1f));
      pair.connect();
      party.communicator.shutdown(party.session());
      party.communicator.shutdown(party.session());
      assertClosed(assertThrows(CommunicatorException.class, () -> party.run(send)));
      CommunicatorException refused =
          assertThrows(CommunicatorException.class, () -> party.send("u", party.tf.constant(1f)));
      assertClosed(refused);
      assertEquals("send tensor", refused.operation());
      assertEquals("u", refused.name());
      assertEquals("localhost:" + pair.follower.communicator.port(), refused.peer());
      assertClosed(
          assertThrows(
              CommunicatorException.class, () -> party.communicator.initialize(party.session())));
      assertClosed(assertThrows(CommunicatorException.class, () -> party.communicator.step()));
    }
  }

  private static void assertClosed(CommunicatorException e) {
    assertEquals(Code.FAILED_PRECONDITION, e.code());
    assertEquals("Already Closed.", e.reason());
  }

  @Test
  void shouldCloseByAnOpOfTheGraph() throws Exception {
    try (Pair pair = Pair.open()) {
      Party party = pair.leader;
      Operation close = party.op("EflCloseConnection");
      Op send = party.send("t", party.tf.constant(1f));
      Operand<TFloat32> receive = pair.follower.communicator.recv(pair.follower.tf, "t");
      pair.connect();
      Future<?> receiving = pair.start(() -> pair.follower.fetch(receive));
      Pair.until(() -> pair.follower.communicator.pending() == 1);
      party.run(() -> close);
      assertEquals(Code.UNAVAILABLE, Pair.failure(receiving).code());
      assertClosed(assertThrows(CommunicatorException.class, () -> party.run(send)));
      party.run(() -> close);
      party.communicator.shutdown(party.session());
    }
  }

  @Test
  void shouldCloseEvenWhenTheSessionCannotRun() {
    try (Pair pair = Pair.open().connect()) {
      Party party = pair.leader;
      Session ended = new Session(party.graph);
      ended.close();
      assertThrows(RuntimeException.class, () -> party.communicator.shutdown(ended));
      assertClosed(assertThrows(CommunicatorException.class, () -> party.communicator.step()));
      assertEquals(0, party.communicator.pending());
      party.communicator.shutdown(ended);
    }
  }

  @Test
  void shouldEndWhatIsPendingWhenThePartyShutsDown() throws Exception {
    try (Pair pair = Pair.open()) {
      Operand<TFloat32> receive = pair.follower.communicator.recv(pair.follower.tf, "t");
      pair.connect();
      Future<?> receiving = pair.start(() -> pair.follower.fetch(receive));
      Pair.until(() -> pair.follower.communicator.pending() == 1);
      pair.follower.communicator.shutdown(pair.follower.session());
      assertEquals(Code.CANCELLED, Pair.failure(receiving).code());
    }
  }

  @Test
  void shouldEndWhatIsPendingWhenThePeerShutsDown() throws Exception {
    try (Pair pair = Pair.open()) {
      Operand<TFloat32> receive = pair.follower.communicator.recv(pair.follower.tf, "t");
      pair.connect();
      Future<?> receiving = pair.start(() -> pair.follower.fetch(receive));
      Pair.until(() -> pair.follower.communicator.pending() == 1);
      pair.leader.communicator.shutdown(pair.leader.session());
      CommunicatorException e = Pair.failure(receiving);
      assertEquals("receive tensor", e.operation());
      assertEquals("t", e.name());
    }
  }

  @Test
  void shouldRefuseWrongSettings() {
    assertThrows(IllegalStateException.class, () -> Communicator.builder().build());
    assertThrows(IllegalArgumentException.class, () -> Communicator.builder().name("a/b"));
    try (Pair pair = Pair.open()) {
      int taken = pair.leader.communicator.port();
      CommunicatorException e =
          assertThrows(
              CommunicatorException.class,
              () ->
                  Party.builder(org.efl.communicator.Role.LEADER, taken, Party.freePort()).build());
      assertTrue(e.reason().contains(Integer.toString(taken)), e.getMessage());
    }
  }
}
