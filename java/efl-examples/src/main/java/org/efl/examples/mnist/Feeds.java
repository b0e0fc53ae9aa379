package org.efl.examples.mnist;

import org.efl.examples.data.Batch;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt64;

/** A batch as tensors; closing it gives their memory back, after the run. */
record Feeds(TInt64 ids, TFloat32 features, TFloat32 labels) implements AutoCloseable {

  static Feeds of(Batch batch) {
    int size = batch.size();
    return new Feeds(
        TInt64.vectorOf(batch.ids()),
        TFloat32.tensorOf(Shape.of(size, Names.WIDTH), DataBuffers.of(batch.features())),
        TFloat32.tensorOf(Shape.of(batch.labels().length), DataBuffers.of(batch.labels())));
  }

  /** A batch of so many samples without content. */
  static Feeds zeros(int size) {
    return new Feeds(
        TInt64.tensorOf(Shape.of(size)),
        TFloat32.tensorOf(Shape.of(size, Names.WIDTH)),
        TFloat32.tensorOf(Shape.of(size)));
  }

  @Override
  public void close() {
    ids.close();
    features.close();
    labels.close();
  }
}
