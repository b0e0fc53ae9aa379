package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Future;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Variable;
import org.tensorflow.types.TFloat32;

@Timeout(60)
class TrainingSessionTest {
  @TempDir Path folder;

  /** Each party keeps a sum; in each step the follower adds what the leader sends, and answers. */
  private static final class Model {
    final Party party;
    final Variable<TFloat32> sum;
    final Op train;

    private Model(Party party, Variable<TFloat32> sum, Op train) {
      this.party = party;
      this.sum = sum;
      this.train = train;
    }

    static Model leader(Party party) {
      Variable<TFloat32> sum = party.tf.variable(party.tf.constant(0f));
      Op send = party.send("delta", party.tf.constant(2f));
      Operand<TFloat32> answer = party.communicator.recv(party.tf, "answer");
      return new Model(party, sum, party.tf.withControlDependencies(send).assignAdd(sum, answer));
    }

    static Model follower(Party party) {
      Variable<TFloat32> sum = party.tf.variable(party.tf.constant(0f));
      Operand<TFloat32> delta = party.communicator.recv(party.tf, "delta");
      Op answer = party.send("answer", party.tf.math.neg(delta));
      return new Model(party, sum, party.tf.withControlDependencies(answer).assignAdd(sum, delta));
    }

    float train(CheckpointHook checkpoints, int steps, long expectedFirst) {
      try (TrainingSession session =
          TrainingSession.builder(party.graph)
              .hook(checkpoints)
              .hook(party.communicator.hook())
              .build()) {
        assertEquals(expectedFirst, session.step());
        assertEquals(0, party.communicator.step());
        for (int i = 0; i < steps; i++) {
          session.run(runner -> runner.addTarget(train)).close();
        }
        assertEquals(steps, party.communicator.step());
        assertEquals(expectedFirst + steps, session.step());
        return value(session.session());
      }
    }

    private float value(Session session) {
      try (Result result = session.runner().fetch(sum).run()) {
        return ((TFloat32) result.get(0)).getFloat();
      }
    }
  }

  private CheckpointHook checkpoints(Party party, String name) {
    return CheckpointHook.builder(folder.resolve(name))
        .communicator(party.communicator)
        .everySteps(2)
        .keep(2)
        .build();
  }

  private List<String> versions(String name) {
    return new CheckpointStore(folder.resolve(name), 9).versions();
  }

  @Test
  void shouldSaveAgreeAndRestore() {
    float followerSum = trainTogether(5, 0);
    assertEquals(10f, followerSum);
    assertEquals(List.of("4", "5"), versions("leader"));
    assertEquals(List.of("4", "5"), versions("follower"));

    assertEquals(16f, trainTogether(3, 5));
    assertEquals(List.of("6", "8"), versions("leader"));

    // Nothing trained, nothing saved anew.
    assertEquals(16f, trainTogether(0, 8));
    assertEquals(List.of("6", "8"), versions("follower"));
  }

  private float trainTogether(int steps, long first) {
    try (Pair pair = Pair.open()) {
      Model leader = Model.leader(pair.leader);
      Model follower = Model.follower(pair.follower);
      return pair.both(
          () -> {
            float sum = leader.train(checkpoints(pair.leader, "leader"), steps, first);
            assertEquals(-2f * (first + steps), sum);
            return null;
          },
          () -> follower.train(checkpoints(pair.follower, "follower"), steps, first));
    }
  }

  private float trainTogether(int steps, long first, String leaders, String followers) {
    try (Pair pair = Pair.open()) {
      Model leader = Model.leader(pair.leader);
      Model follower = Model.follower(pair.follower);
      return pair.both(
          () -> leader.train(checkpoints(pair.leader, leaders), steps, first),
          () -> follower.train(checkpoints(pair.follower, followers), steps, first));
    }
  }

  private void delete(String name, String version) throws IOException {
    Files.delete(folder.resolve(name).resolve(version).resolve("variables.index"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"leader", "follower"})
  void shouldGoOnFromTheNewestCommonCheckpoint(String behind) throws IOException {
    trainTogether(5, 0);
    delete(behind, "5");
    assertEquals(10f, trainTogether(1, 4));
    assertEquals(List.of("4", "5"), versions("leader"));
    assertEquals(List.of("4", "5"), versions("follower"));
  }

  @Test
  void shouldMoveTheNewerCheckpointsOfARunThatIsAbandonedAside() throws IOException {
    trainTogether(6, 0);
    delete("follower", "6");
    assertEquals(8f, trainTogether(0, 4));
    assertEquals(List.of("4"), versions("leader"));
    assertEquals(List.of("6"), abandoned("leader"));
  }

  @ParameterizedTest
  @CsvSource({"leader,emptied", "emptied,follower"})
  void shouldBeginFreshWhenOnePartyHasNoCheckpoint(String leaders, String followers)
      throws IOException {
    trainTogether(4, 0);
    assertEquals(2f, trainTogether(1, 0, leaders, followers));
    assertEquals(List.of("1"), versions(leaders));
    assertEquals(List.of("1"), versions(followers));
    String holder = leaders.equals("emptied") ? followers : leaders;
    assertEquals(List.of("2", "4"), abandoned(holder));
  }

  /** What a party has moved aside, the one time that it has. */
  private List<String> abandoned(String name) throws IOException {
    Path aside =
        DurableFiles.list(folder.resolve(name)).stream()
            .filter(path -> path.getFileName().toString().startsWith("abandoned-"))
            .reduce((one, other) -> fail("two folders: " + one + ", " + other))
            .orElseThrow();
    return CheckpointStore.versionsIn(aside);
  }

  @Test
  void shouldRefuseAnAnswerThatIsNoVersion() {
    try (Pair pair = Pair.open()) {
      Future<?> leading = pair.start(() -> session(pair.leader, "leader"));
      Communicator follower = pair.follower.communicator;
      follower.initialize(pair.follower.session());
      assertEquals("", follower.recvCkptVersion(pair.follower.session()));
      follower.sendCkptVersion(pair.follower.session(), "../7");
      CommunicatorException e = Pair.failure(leading);
      assertEquals(Code.FAILED_PRECONDITION, e.code());
      assertTrue(e.reason().contains("'../7'"), e.reason());
    }
  }

  @Test
  void shouldNotSaveAfterAFailedStep() {
    try (Pair pair = Pair.open()) {
      Model leader = Model.leader(pair.leader);
      Model follower = Model.follower(pair.follower);
      Future<?> leading = pair.start(() -> leader.train(checkpoints(pair.leader, "leader"), 3, 0));
      // The follower leaves after one step; the leader's second fails.
      Pair.await(pair.start(() -> follower.train(checkpoints(pair.follower, "follower"), 1, 0)));
      Pair.failure(leading);
    }
    assertEquals(List.of("1"), versions("follower"));
    assertEquals(List.of(), versions("leader"));
  }

  @Test
  void shouldSaveAtTheEndOfTheData() {
    try (Pair pair = Pair.open()) {
      Op terminate = pair.leader.communicator.terminateReader(pair.leader.tf, "train");
      ReaderStateOperands state =
          pair.follower.communicator.recvReaderState(pair.follower.tf, "train");
      Model leader = Model.leader(pair.leader);
      Model follower = Model.follower(pair.follower);
      pair.both(
          () -> {
            try (TrainingSession session = session(pair.leader, "leader")) {
              session.run(runner -> runner.addTarget(leader.train)).close();
              session.session().runner().addTarget(terminate).run().close();
              return null;
            }
          },
          () -> {
            try (TrainingSession session = session(pair.follower, "follower")) {
              session.run(runner -> runner.addTarget(follower.train)).close();
              RuntimeException end =
                  assertThrows(
                      RuntimeException.class,
                      () ->
                          session.run(
                              runner -> runner.fetch(state.blockId()).addTarget(follower.train)));
              assertTrue(TrainingSession.isEndOfData(end), end.toString());
              return null;
            }
          });
      assertEquals(List.of("1"), versions("leader"));
      assertEquals(List.of("1"), versions("follower"));
    }
  }

  private TrainingSession session(Party party, String name) {
    return TrainingSession.builder(party.graph)
        .hook(party.communicator.hook())
        .hook(checkpoints(party, name))
        .build();
  }

  /** Writes down what is called; {@code failing} makes one of the calls fail. */
  private record Recorder(String name, List<String> calls, String failing) implements SessionHook {
    private void record(String call) {
      calls.add(name + " " + call);
      if (call.equals(failing)) {
        throw new IllegalStateException(call + " of " + name);
      }
      if (("error " + call).equals(failing)) {
        throw new AssertionError(call + " of " + name);
      }
    }

    @Override
    public void begin(Graph graph) {
      record("begin");
    }

    @Override
    public void afterCreateSession(Session session) {
      record("afterCreateSession");
    }

    @Override
    public void beforeRun(TrainingContext context) {
      record("beforeRun " + context.step());
    }

    @Override
    public void afterRun(TrainingContext context, Result result) {
      record("afterRun " + context.step());
    }

    @Override
    public void runFailed(TrainingContext context, Throwable failure) {
      record("runFailed " + context.step());
    }

    @Override
    public void end(Session session) {
      record("end");
    }
  }

  @Test
  void shouldRunHooksInTheDocumentedOrder() {
    List<String> calls = new ArrayList<>();
    try (Graph graph = new Graph()) {
      var tf = org.tensorflow.op.Ops.create(graph);
      Operand<TFloat32> one = tf.constant(1f);
      Operand<TFloat32> needsFeed = tf.placeholder(TFloat32.class);
      TrainingSession ended;
      try (TrainingSession session =
          TrainingSession.builder(graph)
              .hook(new Recorder("a", calls, ""))
              .hook(new Recorder("b", calls, ""))
              .build()) {
        session.run(runner -> runner.fetch(one)).close();
        assertThrows(RuntimeException.class, () -> session.run(runner -> runner.fetch(needsFeed)));
        ended = session;
      }
      assertThrows(IllegalStateException.class, () -> ended.run(runner -> runner.fetch(one)));
    }
    assertEquals(
        List.of(
            "a begin", "b begin",
            "a afterCreateSession", "b afterCreateSession",
            "a beforeRun 1", "b beforeRun 1",
            "a afterRun 1", "b afterRun 1",
            "a beforeRun 2", "b beforeRun 2",
            "a runFailed 2", "b runFailed 2",
            "b end", "a end"),
        calls);
  }

  @Test
  void shouldConnectBeforeOtherHooksAndShutDownAfterThem() {
    List<String> connected = Collections.synchronizedList(new ArrayList<>());
    try (Pair pair = Pair.open()) {
      SessionHook hook =
          new SessionHook() {
            @Override
            public void afterCreateSession(Session session) {
              connected.add("received " + pair.follower.communicator.recvCkptVersion(session));
            }

            @Override
            public void end(Session session) {
              connected.add("step " + pair.follower.communicator.step());
            }
          };
      pair.both(
          () -> {
            pair.leader.communicator.initialize(pair.leader.session());
            pair.leader.communicator.sendCkptVersion(pair.leader.session(), "7");
            return null;
          },
          () -> {
            TrainingSession.builder(pair.follower.graph)
                .hook(hook)
                .hook(pair.follower.communicator.hook())
                .build()
                .close();
            return null;
          });
      assertThrows(CommunicatorException.class, () -> pair.follower.communicator.step());
    }
    assertEquals(List.of("received 7", "step 0"), connected);
  }

  @Test
  void shouldEndAllHooksWhenSomeFail() {
    List<String> calls = new ArrayList<>();
    try (Graph graph = new Graph()) {
      var builder =
          TrainingSession.builder(graph)
              .hook(new Recorder("a", calls, "end"))
              .hook(new Recorder("b", calls, "afterCreateSession"))
              .hook(new Recorder("c", calls, "end"));
      RuntimeException failure = assertThrows(RuntimeException.class, builder::build);
      assertEquals("afterCreateSession of b", failure.getMessage());
      Throwable suppressed = failure.getSuppressed()[0];
      assertEquals("end of c", suppressed.getMessage());
      assertEquals("end of a", suppressed.getSuppressed()[0].getMessage());
    }
    assertEquals(List.of("c end", "b end", "a end"), calls.subList(calls.size() - 3, calls.size()));
    assertFalse(calls.contains("c afterCreateSession"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"beforeRun 1", "afterRun 1"})
  void shouldReportAnErrorOfAHookAndEndAllHooks(String call) {
    List<String> calls = new ArrayList<>();
    try (Graph graph = new Graph()) {
      Operand<TFloat32> one = Ops.create(graph).constant(1f);
      Session raw;
      try (TrainingSession session =
          TrainingSession.builder(graph)
              .hook(new Recorder("a", calls, ""))
              .hook(new Recorder("b", calls, "error " + call))
              .build()) {
        raw = session.session();
        AssertionError error =
            assertThrows(AssertionError.class, () -> session.run(runner -> runner.fetch(one)));
        assertEquals(call + " of b", error.getMessage());
      }
      assertThrows(IllegalStateException.class, () -> raw.runner().fetch(one).run());
    }
    assertEquals(
        List.of("a runFailed 1", "b runFailed 1", "b end", "a end"),
        calls.subList(calls.size() - 4, calls.size()));
  }

  @Test
  void shouldEndAllHooksOnErrorsOfOpeningAndEnding() {
    List<String> calls = new ArrayList<>();
    try (Graph graph = new Graph()) {
      var builder =
          TrainingSession.builder(graph)
              .hook(new Recorder("a", calls, ""))
              .hook(new Recorder("b", calls, "error afterCreateSession"))
              .hook(new Recorder("c", calls, "error end"));
      AssertionError error = assertThrows(AssertionError.class, builder::build);
      assertEquals("afterCreateSession of b", error.getMessage());
      assertEquals("end of c", error.getSuppressed()[0].getMessage());
    }
    assertEquals(List.of("c end", "b end", "a end"), calls.subList(calls.size() - 3, calls.size()));
  }

  @Test
  void shouldGiveTypedFailures() {
    try (Pair pair = Pair.open()) {
      Op unknown = pair.follower.send("unknown", pair.follower.tf.constant(1f));
      pair.both(
          () -> {
            pair.leader.communicator.initialize(pair.leader.session());
            return null;
          },
          () -> {
            try (TrainingSession session =
                TrainingSession.builder(pair.follower.graph)
                    .hook(pair.follower.communicator.hook())
                    .build()) {
              CommunicatorException e =
                  assertInstanceOf(
                      CommunicatorException.class,
                      assertThrows(
                          RuntimeException.class,
                          () -> session.run(runner -> runner.addTarget(unknown))));
              assertEquals(Code.NOT_FOUND, e.code());
              assertEquals("unknown", e.name());
              assertEquals("send tensor", e.operation());
            }
            return null;
          });
    }
  }
}
