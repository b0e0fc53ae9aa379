package org.efl.communicator;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Settings as the kernel takes them, by its keys, in the order in which they were made. */
abstract class Options {
  private final Map<String, String> settings;

  Options(Map<String, String> settings) {
    this.settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
  }

  final Map<String, String> settings() {
    return settings;
  }

  /**
   * Collects settings.
   *
   * @param <B> the builder itself
   */
  abstract static class Builder<B extends Builder<B>> {
    private final Map<String, String> settings = new LinkedHashMap<>();

    abstract B self();

    final Map<String, String> settings() {
      return settings;
    }

    final B set(String key, String value) {
      settings.put(key, value);
      return self();
    }

    final B set(String key, long value) {
      return set(key, Long.toString(value));
    }

    final B set(String key, Path file) {
      return set(key, file.toString());
    }

    /** The kernel takes milliseconds; {@code called} is how the user knows the setting. */
    final B set(String key, String called, Duration value) {
      return set(key, Milliseconds.of(called, value));
    }
  }
}
