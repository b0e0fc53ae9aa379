package org.efl.tensorflow;

import org.tensorflow.proto.ConfigProto;

/** Settings of TensorFlow sessions that make a difference to exchanges. */
public final class SessionConfigs {
  private SessionConfigs() {}

  /**
   * For steps that compute little between their exchanges. An op runs on the thread that makes it
   * ready, which is the caller's, or the communicator's once a tensor has arrived, instead of on
   * one of TensorFlow's pool that has to be woken first; and idle threads of its pools sleep, which
   * leaves their cores to the communicator.
   *
   * <p>Not for long computations: while the communicator's thread computes what follows a receive,
   * what the step sends after it waits.
   */
  public static ConfigProto lowLatency() {
    ConfigProto.Builder config = ConfigProto.newBuilder().setInterOpParallelismThreads(-1);
    config.getExperimentalBuilder().setDisableThreadSpinning(true);
    return config.build();
  }
}
