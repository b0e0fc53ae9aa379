package org.efl.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tensorflow.Graph;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.exceptions.TFOutOfRangeException;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.data.Iterator;
import org.tensorflow.op.data.IteratorGetNext;
import org.tensorflow.op.data.MakeIterator;
import org.tensorflow.types.TString;
import org.tensorflow.types.family.TType;

/** TensorFlow's own reader has to read the files too. */
class TensorFlowReadsTest {
  private static final List<Class<? extends TType>> TYPES = List.of(TString.class);
  private static final List<Shape> SHAPES = List.of(Shape.scalar());

  @TempDir Path folder;

  @Test
  void shouldBeReadByTensorFlow() throws IOException {
    Path file = folder.resolve("data.tfrd");
    byte[] first = new Sample(1, new float[392], Optional.of(7f)).toBytes();
    byte[] second = new Sample(2, new float[] {0.25f}, Optional.empty()).toBytes();
    try (TfRecordWriter writer = new TfRecordWriter(file)) {
      writer.write(first);
      writer.write(second);
    }
    try (Graph graph = new Graph();
        Session session = new Session(graph)) {
      Ops tf = Ops.create(graph);
      Iterator iterator = tf.data.iterator("", "records", TYPES, SHAPES);
      MakeIterator make =
          tf.data.makeIterator(
              tf.data.tfRecordDataset(
                  tf.array(file.toString()), tf.constant(""), tf.constant(0L), tf.array(0L)),
              iterator);
      IteratorGetNext next = tf.data.iteratorGetNext(iterator, TYPES, SHAPES);
      session.runner().addTarget(make).run().close();
      assertArrayEquals(first, read(session, next));
      assertArrayEquals(second, read(session, next));
      assertThrows(TFOutOfRangeException.class, () -> read(session, next));
    }
  }

  private static byte[] read(Session session, IteratorGetNext next) {
    try (Result result = session.runner().fetch(next.iterator().next()).run()) {
      return ((TString) result.get(0)).asBytes().getObject();
    }
  }
}
