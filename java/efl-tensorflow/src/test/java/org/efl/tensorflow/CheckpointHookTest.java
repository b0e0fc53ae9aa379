package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** How trainings with checkpoints end. */
@Timeout(60)
class CheckpointHookTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"3,5", "5,3"})
  void shouldFailAtBothWhenTheDataEndAtDifferentSteps(int ofLeader, int ofFollower) {
    try (Pair pair = Pair.open()) {
      Future<?> leading = pair.start(() -> count(pair.leader, ofLeader));
      Future<?> following = pair.start(() -> count(pair.follower, ofFollower));
      assertEndsApart(Pair.failure(leading), ofLeader, ofFollower);
      assertEndsApart(Pair.failure(following), ofFollower, ofLeader);
    }
    for (String party : List.of("LEADER", "FOLLOWER")) {
      assertFalse(Files.exists(folder.resolve(party).resolve("finished")));
    }
  }

  private static void assertEndsApart(CommunicatorException e, int mine, int theirs) {
    assertEquals(Code.FAILED_PRECONDITION, e.code());
    String said = "Here the data end after step " + mine + ", at the peer after " + theirs;
    assertTrue(e.reason().contains(said), e.reason());
  }

  /** Trains so many steps without the peer. */
  private Void count(Party party, int steps) {
    Op count = counting(party.tf);
    try (TrainingSession session =
        TrainingSession.builder(party.graph)
            .hook(party.communicator.hook())
            .hook(
                CheckpointHook.builder(folder.resolve(party.communicator.role().name()))
                    .communicator(party.communicator)
                    .build())
            .recovery(Recovery.upTo(Duration.ofSeconds(1)))
            .build()) {
      return session.train(
          running -> {
            while (running.step() < steps) {
              running.run(run -> run.addTarget(count)).close();
            }
            return null;
          });
    }
  }

  private static Op counting(Ops tf) {
    return tf.assignAdd(tf.variable(tf.constant(0f)), tf.constant(1f));
  }

  @Test
  void shouldNotTakeALoopThatReturnsAfterAFailedStepForTheEnd() {
    try (Graph graph = new Graph()) {
      Ops tf = Ops.create(graph);
      Op count = counting(tf);
      Operand<TFloat32> needsFeed = tf.placeholder(TFloat32.class);
      try (TrainingSession session =
          TrainingSession.builder(graph)
              .hook(CheckpointHook.builder(folder).everySteps(2).build())
              .build()) {
        IllegalStateException e =
            assertThrows(
                IllegalStateException.class,
                () ->
                    session.train(
                        running -> {
                          running.run(run -> run.addTarget(count)).close();
                          RuntimeException failed =
                              assertThrows(
                                  RuntimeException.class,
                                  () -> running.run(run -> run.fetch(needsFeed)));
                          running.run(run -> run.addTarget(count)).close();
                          return failed;
                        }));
        assertTrue(e.getMessage().startsWith("A step has failed"), e.getMessage());
        assertTrue(e.getCause().getMessage().contains("Placeholder"), e.getCause().toString());
      }
    }
    assertEquals(List.of(), new CheckpointStore(folder, 9).versions());
  }

  @Test
  void shouldRefuseToKeepOneCheckpointWithACommunicator() {
    try (Pair pair = Pair.open()) {
      CheckpointHook.Builder hook =
          CheckpointHook.builder(folder).communicator(pair.leader.communicator).keep(1);
      IllegalArgumentException e = assertThrows(IllegalArgumentException.class, hook::build);
      assertTrue(e.getMessage().contains("at least 2 with a communicator: 1"), e.getMessage());
      hook.keep(2).build();
    }
  }
}
