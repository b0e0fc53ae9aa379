package org.efl.communicator;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How a node listens, if it does. What is not set comes from the environment, and from the kernel's
 * defaults where that says nothing. Values are checked by {@link Node#open}.
 */
public final class NodeOptions {
  private final Map<String, String> settings;

  private NodeOptions(Map<String, String> settings) {
    this.settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
  }

  public static Builder builder() {
    return new Builder();
  }

  Map<String, String> settings() {
    return settings;
  }

  /** Builds {@link NodeOptions}. */
  public static final class Builder {
    private final Map<String, String> settings = new LinkedHashMap<>();

    private Builder() {}

    /**
     * {@code host:port} to listen on, port 0 for any that is free. Without it this party only
     * dials, by {@link PeerOptions.Builder#peerAddress}, which the link wire alone allows.
     */
    public Builder listenAddress(String hostAndPort) {
      settings.put("listen_address", hostAndPort);
      return this;
    }

    /** How this party calls itself to its peers. */
    public Builder partyId(String partyId) {
      settings.put("party_id", partyId);
      return this;
    }

    /** Threads that take the peers' requests; default 1. */
    public Builder serverThreadNum(int threads) {
      settings.put("server_thread_num", Integer.toString(threads));
      return this;
    }

    /** The longest pause between two scans for what is overdue; default 30 s. */
    public Builder scanningInterval(Duration interval) {
      settings.put(
          "scanning_interval_ms", Integer.toString(Milliseconds.of("scanningInterval", interval)));
      return this;
    }

    /** Of the answers sent, in bytes; default 1 GiB. */
    public Builder serverMaxSendMessageSize(long bytes) {
      settings.put("server_max_send_message_size", Long.toString(bytes));
      return this;
    }

    /** Of the requests taken, in bytes; default 1 GiB. */
    public Builder serverMaxReceiveMessageSize(long bytes) {
      settings.put("server_max_receive_message_size", Long.toString(bytes));
      return this;
    }

    public Builder tls(TlsOptions tls) {
      settings.putAll(tls.settings());
      return this;
    }

    public NodeOptions build() {
      return new NodeOptions(settings);
    }
  }
}
