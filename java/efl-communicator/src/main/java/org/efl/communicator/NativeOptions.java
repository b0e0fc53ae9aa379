package org.efl.communicator;

import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.efl.nativelib.Efl;

/** A set of options as the kernel takes it: the environment first, explicit settings over it. */
final class NativeOptions implements AutoCloseable {
  private final Efl.efl_options options = Efl.efl_options_create();

  private NativeOptions() {}

  static NativeOptions of(Map<String, String> settings) {
    NativeOptions made = new NativeOptions();
    try {
      made.apply(settings);
      return made;
    } catch (RuntimeException e) {
      made.close();
      throw e;
    }
  }

  Efl.efl_options handle() {
    return options;
  }

  private void apply(Map<String, String> settings) {
    try (Status status = new Status()) {
      Efl.efl_options_set_from_environment(options, status.handle());
      status.check();
      for (Map.Entry<String, String> setting : settings.entrySet()) {
        try (BytePointer key = Kernel.text(setting.getKey());
            BytePointer value = Kernel.text(setting.getValue())) {
          Efl.efl_options_set(options, key, value, status.handle());
        }
        status.check();
      }
    }
  }

  @Override
  public void close() {
    Efl.efl_options_free(options);
  }
}
