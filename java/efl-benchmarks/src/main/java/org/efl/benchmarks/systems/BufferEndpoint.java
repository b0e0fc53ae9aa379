package org.efl.benchmarks.systems;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.efl.communicator.DType;
import org.efl.communicator.Node;
import org.efl.communicator.NodeOptions;
import org.efl.communicator.Peer;
import org.efl.communicator.PeerOptions;
import org.efl.communicator.Role;
import org.efl.communicator.Tensor;

/** A party whose tensors are direct buffers, without TensorFlow. */
final class BufferEndpoint implements Endpoint {
  private final Node node;
  private final Peer peer;
  private final boolean steps;

  BufferEndpoint(Role role, ChildOptions options) {
    steps = options.childCase == ChildCase.STEPS;
    node = Node.open(NodeOptions.builder().listenAddress(EflPorts.local(role, options)).build());
    peer =
        node.addPeer(
            PeerOptions.builder()
                .role(role)
                .peerAddress(EflPorts.peer(role, options))
                .defaultTimeout(Duration.ofMinutes(5))
                .build());
  }

  Peer peer() {
    return peer;
  }

  @Override
  public Exchange exchange(List<TensorSpec> sends, List<TensorSpec> receives) {
    List<Sent> sent = sends.stream().map(Sent::of).toList();
    List<Place> places = receives.stream().map(Place::of).toList();
    receives.forEach(this::register);
    return number -> {
      List<CompletableFuture<Tensor>> received = places.stream().map(this::receive).toList();
      List<CompletableFuture<Void>> sending = send(sent, number);
      List<Tensor> tensors = new ArrayList<>();
      for (CompletableFuture<Tensor> future : received) {
        tensors.add(future.get());
      }
      return ended(sending, tensors);
    };
  }

  @Override
  public Exchange answer(List<TensorSpec> sends, TensorSpec received, TensorSpec answer) {
    List<Sent> sent = sends.stream().map(Sent::of).toList();
    Place place = Place.of(received);
    register(received);
    long[] dims = answer.dims();
    return number -> {
      CompletableFuture<Tensor> receiving = receive(place);
      List<CompletableFuture<Void>> sending = send(sent, number);
      Tensor tensor = receiving.get();
      sending.add(peer.send(answer.name(), peer.step(), tensor.dtype(), dims, tensor.data()));
      return ended(sending, List.of(tensor));
    };
  }

  private void register(TensorSpec spec) {
    peer.registerTensor(spec.name(), spec.dtype(), spec.dims());
  }

  private CompletableFuture<Tensor> receive(Place place) {
    return peer.receive(place.spec().name(), peer.step(), place.room());
  }

  private List<CompletableFuture<Void>> send(List<Sent> tensors, long number) {
    List<CompletableFuture<Void>> futures = new ArrayList<>();
    for (Sent sent : tensors) {
      TensorSpec spec = sent.spec();
      Payload.mark(spec.size(), number, sent.target());
      futures.add(peer.send(spec.name(), peer.step(), spec.dtype(), sent.dims(), sent.data()));
    }
    return futures;
  }

  private Received ended(List<CompletableFuture<Void>> sending, List<Tensor> tensors)
      throws Exception {
    for (CompletableFuture<Void> future : sending) {
      future.get();
    }
    if (steps) {
      peer.addStep();
    }
    return new BuffersReceived(tensors);
  }

  @Override
  public void connect() throws Exception {
    peer.connect().get();
  }

  @Override
  public void close() {
    node.close();
  }

  private static Payload.Target target(DType dtype, ByteBuffer data) {
    if (dtype == DType.INT64) {
      LongBuffer longs = data.asLongBuffer();
      return (index, value) -> longs.put(index, (long) value);
    }
    FloatBuffer floats = data.asFloatBuffer();
    return floats::put;
  }

  private static Payload.Source source(Tensor tensor) {
    if (tensor.dtype() == DType.INT64) {
      LongBuffer longs = tensor.data().asLongBuffer();
      return longs::get;
    }
    FloatBuffer floats = tensor.data().asFloatBuffer();
    return floats::get;
  }

  private static ByteBuffer room(TensorSpec spec) {
    int bytes = spec.size() * spec.dtype().byteSize();
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  /** One buffer, received into again and again. */
  private record Place(TensorSpec spec, ByteBuffer room) {
    static Place of(TensorSpec spec) {
      return new Place(spec, BufferEndpoint.room(spec));
    }
  }

  /** One buffer, sent again and again. */
  private record Sent(TensorSpec spec, ByteBuffer data, Payload.Target target) {
    static Sent of(TensorSpec spec) {
      ByteBuffer data = room(spec);
      Payload.Target target = BufferEndpoint.target(spec.dtype(), data);
      Payload.fill(spec.size(), target);
      return new Sent(spec, data, target);
    }

    long[] dims() {
      return spec.dims();
    }
  }

  private record BuffersReceived(List<Tensor> tensors) implements Received {
    @Override
    public Payload.Source tensor(int index) {
      return source(tensors.get(index));
    }

    @Override
    public void close() {}
  }
}
