package org.efl.benchmarks.systems;

/**
 * What the tensors hold. Each element has a value that tells its place; at every MiB, from the
 * first on, there is a mark instead, the number of the tensor. Sending another tensor from the same
 * buffer means to set the marks anew. All values are exact as floats.
 */
final class Payload {
  private static final int MARK_EVERY = 1 << 18;
  private static final int EXACT = (1 << 24) - 1;

  private Payload() {}

  /** Puts an element in its place. */
  interface Target {
    void set(int index, float value);
  }

  /** What was received. */
  interface Source {
    float get(int index);
  }

  static void fill(int size, Target target) {
    fill(0, size, target);
  }

  /** A part of a tensor, which the target has from index 0 on. */
  static void fill(int from, int to, Target part) {
    for (int i = from; i < to; i++) {
      part.set(i - from, valueAt(i));
    }
  }

  static void mark(int size, long tensor, Target target) {
    mark(0, size, tensor, target);
  }

  /** A part of a tensor, which the target has from index 0 on. */
  static void mark(int from, int to, long tensor, Target part) {
    for (int i = firstMark(from); i < to; i += MARK_EVERY) {
      part.set(i - from, markOf(tensor));
    }
  }

  static void checkMarks(int size, long tensor, Source source) {
    checkMarks(0, size, tensor, source);
  }

  /** The marks of a part of a tensor, which the source has from index 0 on. */
  static void checkMarks(int from, int to, long tensor, Source part) {
    for (int i = firstMark(from); i < to; i += MARK_EVERY) {
      expect(tensor, i, markOf(tensor), part.get(i - from));
    }
  }

  static void checkAll(int size, long tensor, Source source) {
    checkAll(0, size, tensor, source);
  }

  /** All of a part of a tensor, which the source has from index 0 on. */
  static void checkAll(int from, int to, long tensor, Source part) {
    for (int i = from; i < to; i++) {
      expect(tensor, i, i % MARK_EVERY == 0 ? markOf(tensor) : valueAt(i), part.get(i - from));
    }
  }

  private static void expect(long tensor, int index, float expected, float actual) {
    if (expected != actual) {
      throw new PayloadException(
          "Tensor " + tensor + " has " + actual + " at " + index + ", not " + expected + ".");
    }
  }

  private static int firstMark(int from) {
    return (from + MARK_EVERY - 1) / MARK_EVERY * MARK_EVERY;
  }

  private static float valueAt(int index) {
    return (index * 0x9E3779B1) >>> 8;
  }

  private static float markOf(long tensor) {
    return tensor & EXACT;
  }
}
