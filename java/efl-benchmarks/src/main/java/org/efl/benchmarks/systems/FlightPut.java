package org.efl.benchmarks.systems;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.Action;
import org.apache.arrow.flight.AsyncPutListener;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightClient.ClientStreamListener;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.flight.FlightGrpcUtils;
import org.apache.arrow.flight.PutResult;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;

/**
 * The driving end of Arrow Flight: a DoPut for each repetition. The batches of a tensor are made
 * once and sent from where they are.
 */
final class FlightPut implements Repetitions {
  private final ChildOptions options;
  private final BufferAllocator allocator = new RootAllocator();
  private final FlightClient client;
  private final VectorSchemaRoot root = VectorSchemaRoot.create(FlightBatches.SCHEMA, allocator);
  private final VectorLoader loader = new VectorLoader(root);
  private final List<List<ArrowRecordBatch>> slots = new ArrayList<>();
  private long number;

  private FlightPut(ChildOptions options) throws Exception {
    this.options = options;
    client = FlightGrpcUtils.createFlightClient(allocator, GrpcSetup.channel(options));
    for (int i = 0; i < options.inFlight; i++) {
      slots.add(batches());
    }
  }

  static Repetitions open(ChildOptions options) throws Exception {
    return new FlightPut(options);
  }

  private List<ArrowRecordBatch> batches() {
    List<ArrowRecordBatch> batches = new ArrayList<>();
    for (int from = 0; from < options.size(); from += FlightBatches.MOST) {
      int first = from;
      int size = Math.min(FlightBatches.MOST, options.size() - from);
      try (VectorSchemaRoot filled = VectorSchemaRoot.create(FlightBatches.SCHEMA, allocator)) {
        Float4Vector vector = (Float4Vector) filled.getVector(0);
        vector.allocateNew(size);
        Payload.fill(first, first + size, vector::set);
        vector.setValueCount(size);
        filled.setRowCount(size);
        batches.add(new VectorUnloader(filled).getRecordBatch());
      }
    }
    return batches;
  }

  @Override
  public void repeat() throws Exception {
    Answers answers = new Answers(options.inFlight);
    ClientStreamListener put = client.startPut(FlightDescriptor.path("tensors"), root, answers);
    put.setUseZeroCopy(true);
    for (int i = 0; i < options.count; i++) {
      answers.await();
      int from = 0;
      for (ArrowRecordBatch batch : slots.get((int) (number % slots.size()))) {
        loader.load(batch);
        Float4Vector vector = (Float4Vector) root.getVector(0);
        Payload.mark(from, from + root.getRowCount(), number, vector::set);
        from += root.getRowCount();
        put.putNext();
      }
      number++;
    }
    put.completed();
    put.getResult();
  }

  @Override
  public void verify() {
    client
        .doAction(new Action(FlightBatches.VERIFY))
        .forEachRemaining(
            result -> {
              throw new IllegalStateException("An answer without content was expected.");
            });
  }

  @Override
  public void close() {
    try {
      client.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Each answer makes room for another tensor. */
  private static final class Answers extends AsyncPutListener {
    private static final int LIMIT_S = 60;

    private final Semaphore room;

    Answers(int inFlight) {
      room = new Semaphore(inFlight);
    }

    @Override
    public void onNext(PutResult result) {
      room.release();
    }

    void await() throws InterruptedException {
      if (!room.tryAcquire(LIMIT_S, TimeUnit.SECONDS)) {
        throw new IllegalStateException("No answer within " + LIMIT_S + " s.");
      }
    }
  }
}
