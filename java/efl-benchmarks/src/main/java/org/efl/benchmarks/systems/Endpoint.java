package org.efl.benchmarks.systems;

import java.util.List;
import org.efl.communicator.Role;

/** One party of a pair, as the cases use it, be it made of ops or of buffers. It listens. */
interface Endpoint extends AutoCloseable {
  /** Prepares to send and receive some tensors, all at once; to be called before connecting. */
  Exchange exchange(List<TensorSpec> sends, List<TensorSpec> receives);

  /**
   * Prepares to send some tensors and to answer one that is received with itself, under another
   * name; to be called before connecting.
   */
  Exchange answer(List<TensorSpec> sends, TensorSpec received, TensorSpec answer);

  /** Blocks until the other party is there. */
  void connect() throws Exception;

  @Override
  void close();

  /** Tensors that cross together. */
  interface Exchange {
    /**
     * Marks what is sent as the tensor of this number, and blocks until all is sent and received.
     */
    Received run(long tensor) throws Exception;
  }

  /**
   * The tensors that were received, in the order in which they were named; theirs until the next
   * run of their exchange.
   */
  interface Received extends AutoCloseable {
    Payload.Source tensor(int index);

    @Override
    void close();
  }

  /** Opens an endpoint. */
  interface Factory {
    Endpoint open(Role role, ChildOptions options);
  }
}
