package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.types.TFloat32;

@Timeout(60)
class CommunicatorMetricsTest {

  @Test
  void shouldCountWhatOpsSendAndReceive() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (Pair pair = Pair.open(leader -> leader.name("scoring"), follower -> follower)) {
      new CommunicatorMetrics(pair.leader.communicator, Tags.of("job", "spring")).bindTo(registry);
      Operand<TFloat32> receive = pair.leader.communicator.recv(pair.leader.tf, "x");
      Op send = pair.follower.send("x", pair.follower.tf.constant(new float[] {1, 2, 3}));
      assertEquals(0, state(registry, "ready"));
      pair.connect();
      assertEquals(1, state(registry, "ready"));
      pair.both(
          () -> {
            pair.leader.fetch(receive).close();
            return null;
          },
          () -> pair.follower.run(send));
      assertEquals(
          12,
          registry
              .get("efl.peer.received")
              .tags("peer", "scoring", "job", "spring")
              .functionCounter()
              .count());
      pair.leader.communicator.close();
      assertEquals(1, state(registry, "closed"));
    }
  }

  private static double state(SimpleMeterRegistry registry, String state) {
    return registry.get("efl.peer.state").tag("state", state).gauge().value();
  }
}
