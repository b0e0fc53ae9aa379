package org.efl.communicator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.bytedeco.javacpp.Pointer;
import org.efl.nativelib.Efl;

/**
 * An operation that the kernel has taken and not yet ended. It holds the peer, so that a node isn't
 * taken for forgotten while somebody waits for one of its operations.
 */
abstract class Pending<T> {
  private final CompletableFuture<T> future = new CompletableFuture<>();

  @SuppressWarnings("unused") // only held
  private final Peer peer;

  Pending(Peer peer) {
    this.peer = peer;
  }

  final CompletableFuture<T> future() {
    return future;
  }

  final void done(Efl.efl_status status, Efl.efl_result result) {
    try {
      if (Efl.efl_status_code(status) == Efl.EFL_OK) {
        succeeded(result);
      } else {
        failed(Status.failure(status));
      }
    } catch (Throwable e) {
      future.completeExceptionally(e);
    }
  }

  void failed(CommunicatorException failure) {
    future.completeExceptionally(failure);
  }

  /** Ends the future, from what the kernel brought. */
  abstract void succeeded(Efl.efl_result result);

  /** The address where the elements of this tensor go, 0 to refuse it. */
  long allocate(Efl.efl_tensor tensor) {
    throw new IllegalStateException("This operation takes no tensor.");
  }

  /** Ends with what can be read off the result. */
  static final class Call<T> extends Pending<T> {
    private final Function<Efl.efl_result, T> outcome;

    Call(Peer peer, Function<Efl.efl_result, T> outcome) {
      super(peer);
      this.outcome = outcome;
    }

    @Override
    void succeeded(Efl.efl_result result) {
      future().complete(outcome.apply(result));
    }
  }

  /** Ends well once the peer has the tensor and the kernel has let go of its elements. */
  static final class Send extends Pending<Void> {
    private final AtomicInteger awaited = new AtomicInteger(2);

    Send(Peer peer) {
      super(peer);
    }

    @Override
    void succeeded(Efl.efl_result result) {
      oneLess();
    }

    void oneLess() {
      if (awaited.decrementAndGet() == 0) {
        future().complete(null);
      }
    }
  }

  /** Gives the tensor its place and ends with it. */
  static final class Receive extends Pending<Tensor> {
    private final Place place;
    private volatile Tensor tensor;
    private volatile Throwable refusal;

    Receive(Peer peer, Place place) {
      super(peer);
      this.place = place;
    }

    @Override
    long allocate(Efl.efl_tensor arriving) {
      try {
        long[] dims = new long[arriving.rank()];
        if (dims.length > 0) {
          arriving.dims().get(dims);
        }
        DType dtype = DType.of(arriving.dtype());
        ByteBuffer data = place.of(dtype, arriving.size());
        tensor = new Tensor(dtype, dims, data.order(ByteOrder.nativeOrder()));
        return new Pointer(data).address();
      } catch (Throwable e) {
        refusal = e;
        return 0;
      }
    }

    @Override
    void succeeded(Efl.efl_result result) {
      future().complete(tensor);
    }

    /** The kernel knows that there was no room, not why. */
    private CommunicatorException explained(CommunicatorException failure) {
      CommunicatorException explained =
          new CommunicatorException(
              failure.code(),
              failure.operation(),
              failure.name(),
              failure.step(),
              failure.peer(),
              failure.reason() + ": " + refusal.getMessage());
      explained.initCause(refusal);
      return explained;
    }

    @Override
    void failed(CommunicatorException failure) {
      super.failed(refusal == null ? failure : explained(failure));
    }
  }
}
