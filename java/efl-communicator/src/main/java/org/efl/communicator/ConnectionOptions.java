package org.efl.communicator;

import java.time.Duration;
import java.util.Map;

/** What holds for connections whoever makes them: said to a node and to its peer alike. */
abstract class ConnectionOptions extends Options {
  ConnectionOptions(Map<String, String> settings) {
    super(settings);
  }

  /**
   * Collects them.
   *
   * @param <B> the builder itself
   */
  abstract static class Builder<B extends Builder<B>> extends Options.Builder<B> {

    /**
     * Either party says something at least each {@code interval}, of which the lesser of both
     * parties' holds; when nothing was heard for {@code timeout} longer, at most, the connection
     * counts as broken: a link begins with half a second and waits longer where the line is slow.
     * Default 400 ms and 6 s; an interval of 0 turns it off for both. A node clears away by it what
     * connections anybody has made to it, a peer notices by it that the other is gone.
     */
    public B keepalive(Duration interval, Duration timeout) {
      set("keepalive_interval_ms", "keepalive interval", interval);
      return set("keepalive_timeout_ms", "keepalive timeout", timeout);
    }

    /** Certificates, and who is let in. By default what the environment names. */
    public B tls(TlsOptions tls) {
      tls.settings().forEach(this::set);
      return self();
    }
  }
}
