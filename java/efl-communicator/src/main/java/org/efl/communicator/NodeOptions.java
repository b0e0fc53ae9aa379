package org.efl.communicator;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * How a node listens, if it does. What is not set comes from the environment, and from the kernel's
 * defaults where that says nothing. Values are checked by {@link Node#open}.
 */
public final class NodeOptions extends ConnectionOptions {
  private NodeOptions(Map<String, String> settings) {
    super(settings);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Builds {@link NodeOptions}. */
  public static final class Builder extends ConnectionOptions.Builder<Builder> {
    private Builder() {}

    @Override
    Builder self() {
      return this;
    }

    /**
     * {@code host:port} to listen on, port 0 for any that is free. Without it this party only
     * dials, by {@link PeerOptions.Builder#peerAddress}, which the link wire alone allows.
     */
    public Builder listenAddress(String hostAndPort) {
      return set("listen_address", hostAndPort);
    }

    /**
     * How this party calls itself to its peers. Under mutual TLS its certificate carries it, unless
     * they set {@link TlsOptions.Builder#peerName}.
     */
    public Builder partyId(String partyId) {
      return set("party_id", partyId);
    }

    /** Threads that take the peers' requests; default 1. */
    public Builder serverThreadNum(int threads) {
      return set("server_thread_num", threads);
    }

    /** The longest pause between two scans for what is overdue; default 30 s. */
    public Builder scanningInterval(Duration interval) {
      return set("scanning_interval_ms", "scanningInterval", interval);
    }

    /** Of the answers sent, in bytes; default 1 GiB. */
    public Builder serverMaxSendMessageSize(long bytes) {
      return set("server_max_send_message_size", bytes);
    }

    /** Of the requests taken, in bytes; default 1 GiB. */
    public Builder serverMaxReceiveMessageSize(long bytes) {
      return set("server_max_receive_message_size", bytes);
    }

    /**
     * A file that says what may leave this party (docs/governance.md); read when the node is
     * opened. A send that it denies fails with {@link Code#PERMISSION_DENIED}. By default
     * everything may.
     */
    public Builder egressPolicy(Path file) {
      return set("egress_policy", file);
    }

    /**
     * A file that a line is added to for each tensor that leaves or arrives, without its content
     * (docs/governance.md). It belongs to this node alone. By default none.
     */
    public Builder auditLog(Path file) {
      return set("audit_log", file);
    }

    /** Calls under way at once on one connection; default 4096. More wait at their caller. */
    public Builder maxStreams(int streams) {
      return set("max_streams", streams);
    }

    /**
     * How much memory what has arrived, and is not taken in yet, may take, in bytes; beyond it
     * connections are slowed down, then cut. Default: what the mailbox holds and twice the largest
     * message, 3 GiB; 0: no limit.
     */
    public Builder serverMemoryBytes(long bytes) {
      return set("server_memory_bytes", bytes);
    }

    public NodeOptions build() {
      return new NodeOptions(settings());
    }
  }
}
