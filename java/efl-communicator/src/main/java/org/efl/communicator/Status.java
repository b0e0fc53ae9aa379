package org.efl.communicator;

import org.efl.nativelib.Efl;

/** The outcome of a kernel function that can fail at once. */
final class Status implements AutoCloseable {
  private final Efl.efl_status status = Efl.efl_status_create();

  Efl.efl_status handle() {
    return status;
  }

  void check() {
    if (Efl.efl_status_code(status) != Efl.EFL_OK) {
      throw failure(status);
    }
  }

  /** The failure that the kernel reports; copies everything out of the status. */
  static CommunicatorException failure(Efl.efl_status status) {
    return new CommunicatorException(
        Code.of(Efl.efl_status_code(status)),
        Kernel.text(Efl.efl_status_operation(status)),
        Kernel.text(Efl.efl_status_name(status)),
        Efl.efl_status_step(status),
        Kernel.text(Efl.efl_status_peer(status)),
        Kernel.text(Efl.efl_status_message(status)),
        Kernel.text(Efl.efl_status_text(status)));
  }

  @Override
  public void close() {
    Efl.efl_status_free(status);
  }
}
