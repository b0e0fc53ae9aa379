package org.efl.benchmarks.systems;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLException;

/** The driving end of grpc-java: a stream of tensors in messages of 1 MiB. */
final class GrpcStream implements Repetitions {
  private static final int PIECE = 1 << 20;

  /** Bytes that may wait in the transport before a message has to wait. */
  private static final int READY_BELOW = 4 << 20;

  private final ChildOptions options;
  private final ManagedChannel channel;
  private final List<ArrayTensor> slots = new ArrayList<>();
  private final Answers answers = new Answers();
  private long number;

  private GrpcStream(ChildOptions options, ManagedChannel channel) {
    this.options = options;
    this.channel = channel;
    for (int i = 0; i < options.inFlight; i++) {
      slots.add(new ArrayTensor(options));
    }
    ClientCalls.asyncBidiStreamingCall(
        channel.newCall(GrpcMessage.STREAM, CallOptions.DEFAULT.withOnReadyThreshold(READY_BELOW)),
        answers);
  }

  static Repetitions open(ChildOptions options) throws SSLException {
    return new GrpcStream(options, GrpcSetup.channel(options));
  }

  @Override
  public void repeat() throws Exception {
    for (int i = 0; i < options.count; i++) {
      answers.await(number - options.inFlight + 1);
      ArrayTensor slot = slots.get((int) (number % slots.size()));
      slot.mark(number);
      for (int at = 0; at < options.bytes; at += PIECE) {
        answers.awaitReady();
        answers.call.onNext(slot.message(at, PIECE));
      }
      number++;
    }
    answers.await(number);
  }

  @Override
  public void verify() throws Exception {
    answers.call.onNext(GrpcMessage.empty());
    answers.await(number + 1);
    answers.forget(1);
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  /** Counts the answers. */
  private static final class Answers implements ClientResponseObserver<GrpcMessage, GrpcMessage> {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private ClientCallStreamObserver<GrpcMessage> call;
    private long count;
    private Throwable failure;

    @Override
    public void beforeStart(ClientCallStreamObserver<GrpcMessage> stream) {
      call = stream;
      stream.setOnReadyHandler(() -> change(() -> {}));
    }

    @Override
    public void onNext(GrpcMessage message) {
      message.land(ByteBuffer.allocate(0));
      change(() -> count++);
    }

    @Override
    public void onError(Throwable error) {
      change(() -> failure = error);
    }

    @Override
    public void onCompleted() {
      onError(new IllegalStateException("The serving end has ended the stream."));
    }

    private void change(Runnable change) {
      lock.lock();
      try {
        change.run();
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }

    void await(long answered) throws Exception {
      lock.lock();
      try {
        while (failure == null && count < answered) {
          changed.await();
        }
        check();
      } finally {
        lock.unlock();
      }
    }

    void awaitReady() throws Exception {
      if (call.isReady()) {
        return;
      }
      lock.lock();
      try {
        while (failure == null && !call.isReady()) {
          changed.await();
        }
        check();
      } finally {
        lock.unlock();
      }
    }

    /** Takes back what was counted beside the tensors. */
    void forget(long answers) {
      change(() -> count -= answers);
    }

    private void check() {
      if (failure != null) {
        throw new IllegalStateException(failure);
      }
    }
  }
}
