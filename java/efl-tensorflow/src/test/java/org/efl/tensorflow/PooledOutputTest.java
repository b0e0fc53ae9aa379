package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.FloatDataBuffer;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;

/**
 * Received tensors so large that their memory comes from the kernel's pool: as good as any other to
 * the ops that take them, and back in the pool when nobody needs them any more.
 */
@Timeout(180)
class PooledOutputTest {
  private static final int ELEMENTS = 1 << 20;

  /** Ops that may write their result over what they take. */
  @Test
  void shouldBeRightThroughOpsThatMayWorkInPlace() {
    try (Pair pair = Pair.open()) {
      Source source = new Source(pair.leader, ELEMENTS);
      Ops tf = pair.follower.tf;
      Operand<TFloat32> t = pair.follower.communicator.recv(tf, "t");
      Operand<TFloat32> negated = tf.math.neg(t);
      Operand<TFloat32> inLine =
          tf.math.add(tf.math.mul(tf.math.neg(t), tf.constant(2f)), tf.constant(1f));
      Operand<TFloat32> reshaped = tf.math.neg(tf.reshape(t, tf.constant(new int[] {-1, 4})));
      Operand<TFloat32> twice = tf.math.add(t, t);
      pair.connect();
      for (int base = 0; base < 3; base++) {
        int own = base;
        try (Result only = pair.both(() -> source.send(own), () -> pair.follower.fetch(negated));
            Result many =
                pair.both(
                    () -> source.send(own),
                    () -> pair.follower.fetch(t, negated, inLine, reshaped, twice))) {
          assertHolds(only.get(0), -1, -base);
          assertHolds(many.get(0), 1, base);
          assertHolds(many.get(1), -1, -base);
          assertHolds(many.get(2), -2, 1 - 2 * base);
          assertHolds(many.get(3), -1, -base);
          assertHolds(many.get(4), 2, 2 * base);
          assertEquals(Shape.of(ELEMENTS / 4, 4), many.get(3).shape());
        }
      }
    }
  }

  @Test
  void shouldStayAsItIsWhileLaterOnesArrive() {
    try (Pair pair = Pair.open()) {
      Source source = new Source(pair.leader, ELEMENTS);
      Operand<TFloat32> t = pair.follower.communicator.recv(pair.follower.tf, "t");
      pair.connect();
      try (Result first = pair.both(() -> source.send(0), () -> pair.follower.fetch(t))) {
        for (int base = 1; base < 4; base++) {
          int own = base;
          try (Result next = pair.both(() -> source.send(own), () -> pair.follower.fetch(t))) {
            assertHolds(next.get(0), 1, base);
          }
        }
        assertHolds(first.get(0), 1, 0);
      }
    }
  }

  /** It is the program's own after the communicator and the session are gone. */
  @Test
  void shouldOutliveItsCommunicator() {
    Result result;
    try (Pair pair = Pair.open()) {
      Source source = new Source(pair.leader, ELEMENTS);
      Operand<TFloat32> t = pair.follower.communicator.recv(pair.follower.tf, "t");
      pair.connect();
      result = pair.both(() -> source.send(5), () -> pair.follower.fetch(t));
    }
    assertHolds(result.get(0), 1, 5);
    result.close();
  }

  private static void assertHolds(Tensor tensor, int factor, int base) {
    FloatDataBuffer floats = tensor.asRawTensor().data().asFloats();
    assertEquals(ELEMENTS, floats.size());
    for (int i = 0; i < ELEMENTS; i++) {
      float value = floats.getFloat(i);
      if (value != (float) factor * i + base) {
        assertEquals((float) factor * i + base, value, "at " + i);
      }
    }
  }

  /** Sends its base, one more, two more, … as "t". */
  private static final class Source {
    private final Party party;
    private final Operand<TFloat32> base;
    private final Op send;

    Source(Party party, int elements) {
      this.party = party;
      base = party.tf.placeholder(TFloat32.class, Placeholder.shape(Shape.scalar()));
      Operand<TFloat32> range =
          party.tf.range(
              party.tf.constant(0f), party.tf.constant((float) elements), party.tf.constant(1f));
      send = party.send("t", party.tf.math.add(range, base));
    }

    Void send(float value) {
      try (TFloat32 fed = TFloat32.scalarOf(value)) {
        party.session().runner().feed(base, fed).addTarget(send).run().close();
        return null;
      }
    }
  }

  @Test
  void shouldGiveItsMemoryBack() throws Exception {
    ChildJvm.runWithFixedHeap(Exchange.class, 150);
  }

  /** Receives 200 tensors of 8 MiB; exits with 1 when one in forty of them is still there. */
  static final class Exchange {
    private static final int LARGE = 2 << 20;
    private static final int WARM_UP = 20;
    private static final int ROUNDS = 5;
    private static final int EXCHANGES = 40;

    private Exchange() {}

    public static void main(String[] args) throws Exception {
      try (Pair pair = Pair.open()) {
        Source source = new Source(pair.leader, LARGE);
        Ops tf = pair.follower.tf;
        Operand<TFloat32> t = pair.follower.communicator.recv(tf, "t");
        Operand<TFloat32> negated = tf.math.neg(t);
        pair.connect();
        exchange(pair, source, t, negated, WARM_UP);
        long growth =
            ResidentMemory.growthOfARound(
                ROUNDS, () -> exchange(pair, source, t, negated, EXCHANGES));
        System.exit(growth < 4L * LARGE ? 0 : 1);
      }
    }

    private static Void exchange(
        Pair pair, Source source, Operand<TFloat32> t, Operand<TFloat32> negated, int times) {
      for (int i = 0; i < times; i++) {
        pair.both(() -> source.send(1), () -> pair.follower.fetch(t, negated)).close();
      }
      return null;
    }
  }
}
