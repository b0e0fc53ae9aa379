package org.efl.communicator;

import java.time.Duration;
import java.util.Map;

/**
 * Who the other party is and how to reach it. What is not set comes from the environment, and from
 * the kernel's defaults where that says nothing. Values are checked by {@link Node#addPeer}.
 */
public final class PeerOptions extends ConnectionOptions {
  private PeerOptions(Map<String, String> settings) {
    super(settings);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Builds {@link PeerOptions}. */
  public static final class Builder extends ConnectionOptions.Builder<Builder> {
    private Builder() {}

    @Override
    Builder self() {
      return this;
    }

    /** Names the peer, unique in the process; graphs find it by this. */
    public Builder name(String name) {
      return set("name", name);
    }

    /** The part that this party plays, not the peer; default leader. */
    public Builder role(Role role) {
      return set("role", role.text());
    }

    /**
     * {@code host:port} of the peer. Without it this party only listens, at {@link
     * NodeOptions.Builder#listenAddress}, which the link wire alone allows.
     */
    public Builder peerAddress(String hostAndPort) {
      return set("peer_address", hostAndPort);
    }

    /** Threads that take the peer's answers; default 1. */
    public Builder clientThreadNum(int threads) {
      return set("client_thread_num", threads);
    }

    /** Of an operation that is given none of its own; default 10 minutes. */
    public Builder defaultTimeout(Duration timeout) {
      return set("default_timeout_ms", "defaultTimeout", timeout);
    }

    /**
     * After a broken connection, how long until what waits for the peer ends with {@code
     * UNAVAILABLE}, unless the connection was made again; default 20 s.
     */
    public Builder reconnectTimeout(Duration timeout) {
      return set("reconnect_timeout_ms", "reconnectTimeout", timeout);
    }

    /**
     * Operations that may be pending at once, 1,048,576 by default; one more is {@code
     * RESOURCE_EXHAUSTED}.
     */
    public Builder maxPending(int operations) {
      return set("max_pending", operations);
    }

    /**
     * The largest tensor that the peer may send, in bytes; default 16 GiB. A larger one is {@code
     * RESOURCE_EXHAUSTED} at both parties.
     */
    public Builder maxTensorBytes(long bytes) {
      return set("max_tensor_bytes", bytes);
    }

    /** Of the requests sent, in bytes; default 1 GiB. */
    public Builder clientMaxSendMessageSize(long bytes) {
      return set("client_max_send_message_size", bytes);
    }

    /** Of the answers taken, in bytes; default 1 GiB. */
    public Builder clientMaxReceiveMessageSize(long bytes) {
      return set("client_max_receive_message_size", bytes);
    }

    /**
     * How much may have arrived without being asked for, in bytes; default 1 GiB. More is held back
     * at the peer; over the trainer wire it is refused.
     */
    public Builder mailboxBytes(long bytes) {
      return set("mailbox_bytes", bytes);
    }

    /** What carries the tensors; default {@link Wire#AUTO}. */
    public Builder wire(Wire wire) {
      return set("wire", wire.text());
    }

    /**
     * When a send ends; default {@link SendCompletion#ACCEPTED}. Over the trainer wire it is always
     * {@link SendCompletion#CONSUMED}.
     */
    public Builder sendCompletion(SendCompletion completion) {
      return set("send_completion", completion.text());
    }

    /**
     * How tensors are written on the link wire, by their names, such as {@code
     * "fc*=bfloat16,*=zstd"}: patterns with {@code *}, {@code ?} and {@code [a-z]}, of which the
     * first that fits decides. {@code none}, the default: as they are. {@code zstd}: compressed
     * without loss. {@code bfloat16}: floats rounded to 16 bits; tensors of other types as they
     * are.
     */
    public Builder encodings(String encodings) {
      return set("encodings", encodings);
    }

    /**
     * How much may be on the way on the link wire in either direction, in bytes, from 1 MiB;
     * default 256 MiB. The lesser of both parties' holds, as for {@link #chunkBytes} and {@link
     * #connections}. What bandwidth times round trip exceeds cannot be used.
     */
    public Builder windowBytes(long bytes) {
      return set("window_bytes", bytes);
    }

    /**
     * The longest piece of a tensor in one message of the link wire, in bytes, from 1 KiB to 1 MiB;
     * default 1 MiB.
     */
    public Builder chunkBytes(int bytes) {
      return set("chunk_bytes", bytes);
    }

    /**
     * Of the link wire, up to 64. Default 0: one, and four on a line whose round trip takes 5 ms or
     * more.
     */
    public Builder connections(int connections) {
      return set("connections", connections);
    }

    /** What the two parties train together; a peer with another one is refused. Default "". */
    public Builder jobId(String jobId) {
      return set("job_id", jobId);
    }

    /**
     * Which pair of how many this is, where each party has several workers; a peer that says
     * otherwise is refused. Not said by default.
     *
     * @param index from 0, less than count
     */
    public Builder worker(int index, int count) {
      set("worker_index", index);
      return set("worker_count", count);
    }

    public PeerOptions build() {
      return new PeerOptions(settings());
    }
  }
}
