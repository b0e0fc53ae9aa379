package org.efl.communicator;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Who the other party is and how to reach it. What is not set comes from the environment, and from
 * the kernel's defaults where that says nothing. Values are checked by {@link Node#addPeer}.
 */
public final class PeerOptions {
  private final Map<String, String> settings;

  private PeerOptions(Map<String, String> settings) {
    this.settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
  }

  public static Builder builder() {
    return new Builder();
  }

  Map<String, String> settings() {
    return settings;
  }

  /** Builds {@link PeerOptions}. */
  public static final class Builder {
    private final Map<String, String> settings = new LinkedHashMap<>();

    private Builder() {}

    /** Names the peer, unique in the process; graphs find it by this. */
    public Builder name(String name) {
      settings.put("name", name);
      return this;
    }

    /** The part that this party plays, not the peer; default leader. */
    public Builder role(Role role) {
      settings.put("role", role.text());
      return this;
    }

    /** {@code host:port} of the peer. */
    public Builder peerAddress(String hostAndPort) {
      settings.put("peer_address", hostAndPort);
      return this;
    }

    /** Threads that take the peer's answers; default 1. */
    public Builder clientThreadNum(int threads) {
      settings.put("client_thread_num", Integer.toString(threads));
      return this;
    }

    /** Of an operation that is given none of its own; default 10 minutes. */
    public Builder defaultTimeout(Duration timeout) {
      settings.put(
          "default_timeout_ms", Integer.toString(Milliseconds.of("defaultTimeout", timeout)));
      return this;
    }

    /**
     * After a broken connection, how long until what waits for the peer ends with {@code
     * UNAVAILABLE}, unless the connection was made again; default 10 s.
     */
    public Builder reconnectTimeout(Duration timeout) {
      settings.put(
          "reconnect_timeout_ms", Integer.toString(Milliseconds.of("reconnectTimeout", timeout)));
      return this;
    }

    /** Of the requests sent, in bytes; default 1 GiB. */
    public Builder clientMaxSendMessageSize(long bytes) {
      settings.put("client_max_send_message_size", Long.toString(bytes));
      return this;
    }

    /** Of the answers taken, in bytes; default 1 GiB. */
    public Builder clientMaxReceiveMessageSize(long bytes) {
      settings.put("client_max_receive_message_size", Long.toString(bytes));
      return this;
    }

    /** How much may have arrived without being asked for, in bytes; default 1 GiB. */
    public Builder mailboxBytes(long bytes) {
      settings.put("mailbox_bytes", Long.toString(bytes));
      return this;
    }

    public Builder tls(TlsOptions tls) {
      settings.putAll(tls.settings());
      return this;
    }

    public PeerOptions build() {
      return new PeerOptions(settings);
    }
  }
}
