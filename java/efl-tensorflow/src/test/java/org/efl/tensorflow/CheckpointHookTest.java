package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** How trainings with checkpoints end. */
@Timeout(60)
class CheckpointHookTest {
  @TempDir Path folder;

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
          TrainingSession.builder(graph).hook(CheckpointHook.builder(folder).build()).build()) {
        IllegalStateException e =
            assertThrows(
                IllegalStateException.class,
                () ->
                    session.train(
                        running -> {
                          running.run(run -> run.addTarget(count)).close();
                          return assertThrows(
                              RuntimeException.class,
                              () -> running.run(run -> run.fetch(needsFeed)));
                        }));
        assertTrue(e.getMessage().startsWith("A step has failed"), e.getMessage());
        assertTrue(e.getCause().getMessage().contains("Placeholder"), e.getCause().toString());
      }
    }
    assertEquals(List.of(), new CheckpointStore(folder, 9).versions());
  }
}
