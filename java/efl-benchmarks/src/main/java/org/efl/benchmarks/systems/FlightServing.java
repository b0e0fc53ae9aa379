package org.efl.benchmarks.systems;

import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.apache.arrow.flight.Action;
import org.apache.arrow.flight.CallStatus;
import org.apache.arrow.flight.FlightServer;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.Location;
import org.apache.arrow.flight.NoOpFlightProducer;
import org.apache.arrow.flight.PutResult;
import org.apache.arrow.flight.Result;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.util.TransferPair;

/** The serving end of Arrow Flight. */
final class FlightServing {
  private FlightServing() {}

  static Serving open(ChildOptions options) throws IOException {
    BufferAllocator allocator = new RootAllocator();
    ExecutorService threads = Executors.newCachedThreadPool();
    Location location =
        options.tls.isPresent()
            ? Location.forGrpcTls("localhost", options.port)
            : Location.forGrpcInsecure("localhost", options.port);
    Consumer<NettyServerBuilder> tuning = GrpcSetup::tuned;
    FlightServer.Builder builder =
        FlightServer.builder(allocator, location, new Producer(allocator, options))
            .executor(threads)
            .transportHint("grpc.builderConsumer", tuning);
    if (options.tls.isPresent()) {
      Path directory = options.tls.get();
      builder
          .useTls(
              directory.resolve("leader.crt").toFile(), directory.resolve("leader.key").toFile())
          .useMTlsClientVerification(directory.resolve("ca.crt").toFile());
    }
    FlightServer server = builder.build().start();
    return Serving.of(
        () -> {
          server.shutdown();
          threads.shutdownNow();
        });
  }

  private static final class Producer extends NoOpFlightProducer {
    private final BufferAllocator allocator;
    private final ChildOptions options;

    /** The batches of the repetition's last tensor. */
    private final List<Float4Vector> last = new ArrayList<>();

    private long number;

    Producer(BufferAllocator allocator, ChildOptions options) {
      this.allocator = allocator;
      this.options = options;
    }

    @Override
    public Runnable acceptPut(
        CallContext context, FlightStream stream, StreamListener<PutResult> answers) {
      return () -> {
        int elements = 0;
        while (stream.next()) {
          Float4Vector batch = (Float4Vector) stream.getRoot().getVector(0);
          elements = take(batch, elements);
          if (elements == options.size()) {
            elements = 0;
            number++;
            answers.onNext(PutResult.empty());
          }
        }
        answers.onCompleted();
      };
    }

    private int take(Float4Vector batch, int from) {
      int to = from + batch.getValueCount();
      Payload.checkMarks(from, to, number, batch::get);
      if (number % options.count == options.count - 1) {
        TransferPair kept = batch.getTransferPair(allocator);
        kept.transfer();
        last.add((Float4Vector) kept.getTo());
      }
      return to;
    }

    @Override
    public void doAction(CallContext context, Action action, StreamListener<Result> listener) {
      try {
        verify();
        listener.onCompleted();
      } catch (PayloadException e) {
        listener.onError(CallStatus.INTERNAL.withDescription(e.getMessage()).toRuntimeException());
      }
    }

    private void verify() {
      int from = 0;
      for (Float4Vector batch : last) {
        int to = from + batch.getValueCount();
        Payload.checkAll(from, to, number - 1, batch::get);
        from = to;
        batch.close();
      }
      last.clear();
      if (from != options.size()) {
        throw new PayloadException("The last tensor has " + from + " elements.");
      }
    }

    @Override
    public void doExchange(CallContext context, FlightStream reader, ServerStreamListener writer) {
      try (VectorSchemaRoot root = VectorSchemaRoot.create(FlightBatches.SCHEMA, allocator)) {
        writer.setUseZeroCopy(true);
        writer.start(root);
        for (long received = 0; reader.next(); received++) {
          VectorSchemaRoot arrived = reader.getRoot();
          Float4Vector batch = (Float4Vector) arrived.getVector(0);
          int size = batch.getValueCount();
          Payload.checkMarks(size, received, batch::get);
          batch.makeTransferPair(root.getVector(0)).transfer();
          root.setRowCount(size);
          writer.putNext();
        }
        writer.completed();
      }
    }
  }
}
