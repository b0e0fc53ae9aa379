package org.efl.examples.quickstart;

import org.efl.communicator.Role;
import org.efl.tensorflow.Communicator;
import org.efl.tensorflow.TrainingSession;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** The smallest pair: a leader that doubles what its follower sends, for three steps. */
public final class Quickstart {
  private Quickstart() {}

  /**
   * Runs one party.
   *
   * @param args leader or follower
   */
  public static void main(String[] args) {
    if (args.length == 1 && args[0].equals("leader")) {
      leader("localhost:50051", "localhost:50052");
    } else if (args.length == 1 && args[0].equals("follower")) {
      follower("localhost:50052", "localhost:50051");
    } else {
      System.err.println("Usage: Quickstart leader | follower");
      System.exit(2);
    }
  }

  static void leader(String local, String peer) {
    // [leader]
    try (Communicator communicator =
            Communicator.builder()
                .federalRole(Role.LEADER)
                .localAddress(local)
                .peerAddress(peer)
                .build();
        Graph graph = new Graph()) {
      Ops tf = Ops.create(graph);
      Operand<TFloat32> fc1 = communicator.recv(tf, "fc1", TFloat32.class, Shape.of(-1, 2));
      Op reply = communicator.send(tf, "fc1_grad", tf.math.mul(fc1, tf.constant(2f)));
      try (TrainingSession session =
          TrainingSession.builder(graph).hook(communicator.hook()).build()) {
        while (session.step() < 3) {
          session.run(runner -> runner.addTarget(reply)).close();
        }
      }
    }
    // [leader]
  }

  static void follower(String local, String peer) {
    // [follower]
    try (Communicator communicator =
            Communicator.builder()
                .federalRole(Role.FOLLOWER)
                .localAddress(local)
                .peerAddress(peer)
                .build();
        Graph graph = new Graph()) {
      Ops tf = Ops.create(graph);
      Op sent = communicator.send(tf, "fc1", tf.constant(new float[][] {{1, 2}, {3, 4}}));
      Operand<TFloat32> grad = communicator.recv(tf, "fc1_grad");
      try (TrainingSession session =
          TrainingSession.builder(graph).hook(communicator.hook()).build()) {
        while (session.step() < 3) {
          try (Result result = session.run(runner -> runner.addTarget(sent).fetch(grad))) {
            TFloat32 values = (TFloat32) result.get(0);
            System.out.println("step " + session.step() + ": " + values.getFloat(1, 1));
          }
        }
      }
    }
    // [follower]
  }
}
