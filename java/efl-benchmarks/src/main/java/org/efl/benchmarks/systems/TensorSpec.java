package org.efl.benchmarks.systems;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.efl.communicator.DType;

/** A tensor as both parties know it. */
record TensorSpec(String name, DType dtype, List<Long> shape) {
  static TensorSpec floats(String name, long... dims) {
    return of(name, DType.FLOAT, dims);
  }

  private static TensorSpec of(String name, DType dtype, long... dims) {
    return new TensorSpec(name, dtype, Arrays.stream(dims).boxed().toList());
  }

  /** Those of a stream, one for each tensor that may be under way. */
  static List<TensorSpec> streamed(ChildOptions options) {
    return IntStream.range(0, options.inFlight)
        .mapToObj(slot -> floats("streamed" + slot, options.size()))
        .toList();
  }

  /** By which the leader says whether the last repetition arrived as it was sent: 1, or 0. */
  static TensorSpec verdict() {
    return floats("verdict", 1);
  }

  /** The ids of a step's samples, leader to follower. */
  static TensorSpec ids() {
    return of("ids", DType.INT64, 256);
  }

  /** The follower's activations of a step, or the gradient that comes back. */
  static TensorSpec activations(String name) {
    return floats(name, 256, 128);
  }

  long[] dims() {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }

  int size() {
    return Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact));
  }
}
