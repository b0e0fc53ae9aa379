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
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.io.FifoQueue;
import org.tensorflow.op.io.ReaderRead;
import org.tensorflow.types.TString;

/** TensorFlow's own reader has to read the files too. */
class TensorFlowReadsTest {
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
      FifoQueue files = tf.io.fifoQueue(List.of(TString.class));
      ReaderRead next = tf.io.readerRead(tf.io.tfRecordReader(), files);
      Op enqueue = tf.io.queueEnqueue(files, List.of(tf.constant(file.toString())));
      session.runner().addTarget(enqueue).run().close();
      session.runner().addTarget(tf.io.queueClose(files)).run().close();
      assertArrayEquals(first, read(session, next));
      assertArrayEquals(second, read(session, next));
      assertThrows(TFOutOfRangeException.class, () -> read(session, next));
    }
  }

  private static byte[] read(Session session, ReaderRead next) {
    try (Result result = session.runner().fetch(next.value()).run()) {
      return ((TString) result.get(0)).asBytes().getObject();
    }
  }
}
