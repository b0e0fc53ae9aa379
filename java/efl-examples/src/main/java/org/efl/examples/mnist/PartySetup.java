package org.efl.examples.mnist;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import org.efl.examples.data.DataDirectory;
import org.efl.examples.data.VerticalSplit;
import org.efl.tensorflow.CheckpointHook;
import org.efl.tensorflow.Communicator;
import org.efl.tensorflow.ModelDigest;
import org.efl.tensorflow.Recovery;
import org.efl.tensorflow.TrainingSession;
import org.tensorflow.Graph;

/**
 * What a party brings to a training.
 *
 * @param communicator made by the caller; shut down when the training ends
 * @param data where {@code leader_train} and its like are
 * @param checkpoints where this party keeps its checkpoints
 * @param checkpointEvery steps between two of them; 0: one at the end
 * @param recovery how long the other party may be gone
 * @param parameters the same at both parties
 * @param out where progress is shown
 */
public record PartySetup(
    Communicator communicator,
    Path data,
    Path checkpoints,
    long checkpointEvery,
    Recovery recovery,
    Hyperparameters parameters,
    PrintStream out) {

  DataDirectory directory(boolean leader, boolean test) {
    return new DataDirectory(data.resolve(VerticalSplit.name(leader, test)), Names.WIDTH, leader);
  }

  String modelDigest() throws IOException {
    return ModelDigest.sha256(checkpoints);
  }

  /** Blocks until the other party is there, and both have agreed on a checkpoint. */
  TrainingSession session(Graph graph) {
    return TrainingSession.builder(graph)
        .hook(communicator.hook())
        .hook(
            CheckpointHook.builder(checkpoints)
                .communicator(communicator)
                .everySteps(checkpointEvery)
                .build())
        .recovery(recovery)
        .build();
  }
}
