package org.efl.benchmarks.systems;

import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightClient.ExchangeReaderWriter;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.flight.FlightGrpcUtils;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.VectorSchemaRoot;

/** There and back over a DoExchange of Arrow Flight. */
final class FlightRoundTrips implements RoundTrips {
  private final int size;
  private final FlightClient client;
  private final ExchangeReaderWriter exchange;
  private final Float4Vector vector;
  private long number;

  private FlightRoundTrips(ChildOptions options) throws Exception {
    size = options.size();
    BufferAllocator allocator = new RootAllocator();
    client = FlightGrpcUtils.createFlightClient(allocator, GrpcSetup.channel(options));
    VectorSchemaRoot root = VectorSchemaRoot.create(FlightBatches.SCHEMA, allocator);
    vector = (Float4Vector) root.getVector(0);
    vector.allocateNew(size);
    Payload.fill(size, vector::set);
    vector.setValueCount(size);
    root.setRowCount(size);
    exchange = client.doExchange(FlightDescriptor.path("tensors"));
    exchange.getWriter().setUseZeroCopy(true);
    exchange.getWriter().start(root);
  }

  static RoundTrips open(ChildOptions options) throws Exception {
    return new FlightRoundTrips(options);
  }

  @Override
  public void run(long[] nanos) {
    for (int i = 0; i < nanos.length; i++, number++) {
      long start = System.nanoTime();
      Payload.mark(size, number, vector::set);
      exchange.getWriter().putNext();
      if (!exchange.getReader().next()) {
        throw new IllegalStateException("The serving end has ended the exchange.");
      }
      nanos[i] = System.nanoTime() - start;
      Float4Vector back = (Float4Vector) exchange.getReader().getRoot().getVector(0);
      Payload.checkMarks(size, number, back::get);
      if (i == nanos.length - 1) {
        Payload.checkAll(size, number, back::get);
      }
    }
  }

  @Override
  public void close() {
    try {
      exchange.close();
      client.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
