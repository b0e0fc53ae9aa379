package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.efl.communicator.Role;
import org.efl.communicator.Wire;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.op.Op;
import org.tensorflow.op.core.Variable;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt64;

/** A party that adds up what the other one sends, and how far it has come. */
final class Trained {
  static final int STEPS = 7;

  /** Sums double with each step: 1, 3, 7, … */
  static final float EXPECTED = (1 << STEPS) - 1;

  static Role other(Role role) {
    return role == Role.LEADER ? Role.FOLLOWER : Role.LEADER;
  }

  static void never(Communicator communicator, TrainingSession running) {}

  /** Leaves before this step. */
  static Before leaveAt(long step) {
    return (communicator, running) -> {
      if (running.step() == step) {
        throw new Left();
      }
    };
  }

  /**
   * Where the two parties of a pair listen and keep their checkpoints, however often they start.
   */
  record Site(Path folder, int leaderPort, int followerPort) {
    static Site in(Path folder) {
      return new Site(folder, Party.freePort(), Party.freePort());
    }

    Trained party(Role role) {
      return party(role, Wire.AUTO);
    }

    Trained party(Role role, Wire wire) {
      return new Trained(this, role, wire);
    }

    /** The checkpoints of a party. */
    List<String> versions(Role party) {
      return new CheckpointStore(folder.resolve(party.name()), 9).versions();
    }
  }

  /** The peer left on purpose in the middle of its loop, which nobody but a test does. */
  static final class Left extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  /** What a party does before each step, beside training. */
  interface Before {
    void step(Communicator communicator, TrainingSession running);
  }

  final Role role;
  final Wire wire;
  final List<Long> begins = new ArrayList<>();
  Duration timeout = Duration.ofMinutes(2);
  int steps = STEPS;
  int saveEvery = 2;

  private final Site site;

  private Trained(Site site, Role role, Wire wire) {
    this.site = site;
    this.role = role;
    this.wire = wire;
  }

  Party open() {
    boolean leads = role == Role.LEADER;
    return Party.open(
        role,
        leads ? site.leaderPort() : site.followerPort(),
        leads ? site.followerPort() : site.leaderPort(),
        c -> c.wire(wire).reconnectTimeout(Duration.ofSeconds(2)).defaultTimeout(timeout));
  }

  /** Trains to the end, or until {@code before} a step throws; returns the sum. */
  float train(Recovery recovery, Before before) {
    try (Party party = open()) {
      Communicator communicator = party.communicator;
      String mine = role.name();
      Variable<TFloat32> sum = party.tf.variable(party.tf.constant(0f));
      SavedPosition position = SavedPosition.create(party.tf, "position", 2);
      Op send = party.send(mine, party.tf.math.add(sum, party.tf.constant(1f)));
      Operand<TFloat32> theirs = communicator.recv(party.tf, other(role).name());
      Op train = party.tf.withControlDependencies(send).assignAdd(sum, theirs);
      try (TrainingSession session =
          TrainingSession.builder(party.graph)
              .hook(communicator.hook())
              .hook(
                  CheckpointHook.builder(site.folder().resolve(mine))
                      .communicator(communicator)
                      .everySteps(saveEvery)
                      .build())
              .recovery(recovery)
              .build()) {
        return session.train(
            running -> {
              begins.add(running.step());
              assertEquals(0, communicator.step());
              long[] at = position.of(running.session());
              assertArrayEquals(new long[] {running.step(), 10 * running.step()}, at);
              while (running.step() < steps) {
                before.step(communicator, running);
                long next = running.step() + 1;
                try (TInt64 kept = position.at(next, 10 * next)) {
                  running.run(run -> position.move(run, kept).addTarget(train)).close();
                }
              }
              try (Result result = running.session().runner().fetch(sum).run()) {
                return ((TFloat32) result.get(0)).getFloat();
              }
            });
      }
    }
  }
}
