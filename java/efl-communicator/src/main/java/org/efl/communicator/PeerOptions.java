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

    /**
     * {@code host:port} of the peer. Without it this party only listens, at {@link
     * NodeOptions.Builder#listenAddress}, which the link wire alone allows.
     */
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

    /**
     * How much may have arrived without being asked for, in bytes; default 1 GiB. More is held back
     * at the peer; over the trainer wire it is refused.
     */
    public Builder mailboxBytes(long bytes) {
      settings.put("mailbox_bytes", Long.toString(bytes));
      return this;
    }

    /** What carries the tensors; default {@link Wire#AUTO}. */
    public Builder wire(Wire wire) {
      settings.put("wire", wire.text());
      return this;
    }

    /**
     * When a send ends; default {@link SendCompletion#ACCEPTED}. Over the trainer wire it is always
     * {@link SendCompletion#CONSUMED}.
     */
    public Builder sendCompletion(SendCompletion completion) {
      settings.put("send_completion", completion.text());
      return this;
    }

    /**
     * How tensors are written on the link wire, by their names, such as {@code
     * "fc*=bfloat16,*=zstd"}: patterns with {@code *}, {@code ?} and {@code [a-z]}, of which the
     * first that fits decides. {@code none}, the default: as they are. {@code zstd}: compressed
     * without loss. {@code bfloat16}: floats rounded to 16 bits; tensors of other types as they
     * are.
     */
    public Builder encodings(String encodings) {
      settings.put("encodings", encodings);
      return this;
    }

    /**
     * How much may be on the way on the link wire in either direction, in bytes, from 1 MiB;
     * default 256 MiB. The lesser of both parties' holds, as for {@link #chunkBytes} and {@link
     * #connections}. What bandwidth times round trip exceeds cannot be used.
     */
    public Builder windowBytes(long bytes) {
      settings.put("window_bytes", Long.toString(bytes));
      return this;
    }

    /**
     * The longest piece of a tensor in one message of the link wire, in bytes, from 1 KiB to 1 MiB;
     * default 1 MiB.
     */
    public Builder chunkBytes(int bytes) {
      settings.put("chunk_bytes", Integer.toString(bytes));
      return this;
    }

    /**
     * Of the link wire, up to 64. Default 0: one, and four on a line whose round trip takes 5 ms or
     * more.
     */
    public Builder connections(int connections) {
      settings.put("connections", Integer.toString(connections));
      return this;
    }

    /** What the two parties train together; a peer with another one is refused. Default "". */
    public Builder jobId(String jobId) {
      settings.put("job_id", jobId);
      return this;
    }

    /**
     * Which pair of how many this is, where each party has several workers; a peer that says
     * otherwise is refused. Not said by default.
     *
     * @param index from 0, less than count
     */
    public Builder worker(int index, int count) {
      settings.put("worker_index", Integer.toString(index));
      settings.put("worker_count", Integer.toString(count));
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
