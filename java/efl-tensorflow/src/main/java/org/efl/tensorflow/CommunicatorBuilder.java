package org.efl.tensorflow;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.NodeOptions;
import org.efl.communicator.PeerOptions;
import org.efl.communicator.Role;
import org.efl.communicator.SendCompletion;
import org.efl.communicator.TlsOptions;
import org.efl.communicator.Wire;

/** Collects what a communicator is made of. What is not set has the documented default. */
public final class CommunicatorBuilder {
  private static final AtomicInteger counter = new AtomicInteger();
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*");

  private final NodeOptions.Builder node = NodeOptions.builder();
  private final PeerOptions.Builder peer = PeerOptions.builder();
  private Role role;
  private String name;
  private String peerAddress = "";
  private boolean localAddressSet;

  CommunicatorBuilder() {}

  /** Leader: has the labels and waits for the follower. Follower: opens the connection. */
  public CommunicatorBuilder federalRole(Role value) {
    role = Objects.requireNonNull(value, "federalRole");
    peer.role(value);
    return this;
  }

  /**
   * Where the peer listens, host:port. Without it this party only listens, which the link wire
   * alone allows.
   */
  public CommunicatorBuilder peerAddress(String value) {
    peerAddress = Objects.requireNonNull(value, "peerAddress");
    peer.peerAddress(value);
    return this;
  }

  /**
   * Where this party listens, host:port; port 0 takes a free one. Without it this party only dials,
   * which the link wire alone allows.
   */
  public CommunicatorBuilder localAddress(String value) {
    node.listenAddress(value);
    localAddressSet = true;
    return this;
  }

  /** Threads that take the peer's answers; 1 by default. */
  public CommunicatorBuilder clientThreadNum(int value) {
    peer.clientThreadNum(value);
    return this;
  }

  /** Threads that take the peer's requests; 1 by default. */
  public CommunicatorBuilder serverThreadNum(int value) {
    node.serverThreadNum(value);
    return this;
  }

  /** Longest pause between two looks of the Monitor at what is overdue; 30 s by default. */
  public CommunicatorBuilder scanningInterval(Duration value) {
    node.scanningInterval(value);
    return this;
  }

  /** How long an op may wait for the peer; 10 minutes by default. */
  public CommunicatorBuilder defaultTimeout(Duration value) {
    peer.defaultTimeout(value);
    return this;
  }

  /**
   * After a broken connection, how long until ops that wait for the peer end with UNAVAILABLE,
   * unless the connection was made again; 20 s by default.
   */
  public CommunicatorBuilder reconnectTimeout(Duration value) {
    peer.reconnectTimeout(value);
    return this;
  }

  /**
   * The name its ops carry: letters, digits, '_', '.' and '-', unique in the process. By default
   * the role and a number. To be set where graphs are saved and loaded.
   */
  public CommunicatorBuilder name(String value) {
    if (!NAME.matcher(value).matches()) {
      throw new IllegalArgumentException("Not a communicator's name: '" + value + "'");
    }
    name = value;
    return this;
  }

  /** How this party calls itself to its peer; under mutual TLS its certificate carries it. */
  public CommunicatorBuilder partyId(String value) {
    node.partyId(value);
    return this;
  }

  /** What carries the tensors; by default {@link Wire#AUTO}. */
  public CommunicatorBuilder wire(Wire value) {
    peer.wire(value);
    return this;
  }

  /**
   * When a send ends; by default {@link SendCompletion#ACCEPTED}. Over the trainer wire it is
   * always {@link SendCompletion#CONSUMED}.
   */
  public CommunicatorBuilder sendCompletion(SendCompletion value) {
    peer.sendCompletion(value);
    return this;
  }

  /**
   * How tensors are written on the link wire, by their names, such as {@code
   * "fc*=bfloat16,*=zstd"}; as they are by default. See {@link PeerOptions.Builder#encodings}.
   */
  public CommunicatorBuilder encodings(String value) {
    peer.encodings(value);
    return this;
  }

  /** Bytes that may be on the way on the link wire in either direction; 256 MiB by default. */
  public CommunicatorBuilder windowBytes(long value) {
    peer.windowBytes(value);
    return this;
  }

  /** Bytes of a tensor in one message of the link wire; 1 MiB by default, which is the most. */
  public CommunicatorBuilder chunkBytes(int value) {
    peer.chunkBytes(value);
    return this;
  }

  /** Connections of the link wire; by default one, and four on a long line. */
  public CommunicatorBuilder connections(int value) {
    peer.connections(value);
    return this;
  }

  /**
   * How often either party says something, and how much longer nothing may be heard, at most; 400
   * ms and 6 s by default. See {@link PeerOptions.Builder#keepalive}.
   */
  public CommunicatorBuilder keepalive(Duration interval, Duration timeout) {
    node.keepalive(interval, timeout);
    peer.keepalive(interval, timeout);
    return this;
  }

  /**
   * Bytes that may have arrived without being asked for; 1 GiB by default. More is held back at the
   * peer; over the trainer wire it is refused.
   */
  public CommunicatorBuilder mailboxBytes(long value) {
    peer.mailboxBytes(value);
    return this;
  }

  /** Operations that may be pending at once; 1,048,576 by default. */
  public CommunicatorBuilder maxPending(int value) {
    peer.maxPending(value);
    return this;
  }

  /** Bytes of the largest tensor that the peer may send; 16 GiB by default. */
  public CommunicatorBuilder maxTensorBytes(long value) {
    peer.maxTensorBytes(value);
    return this;
  }

  /** Calls under way at once on one connection; 4,096 by default. */
  public CommunicatorBuilder maxStreams(int value) {
    node.maxStreams(value);
    return this;
  }

  /**
   * Bytes of what has arrived and is not taken in yet; 3 GiB by default, see {@link
   * NodeOptions.Builder#serverMemoryBytes}.
   */
  public CommunicatorBuilder serverMemoryBytes(long value) {
    node.serverMemoryBytes(value);
    return this;
  }

  /** What the two parties train together; a peer with another one is refused. "" by default. */
  public CommunicatorBuilder jobId(String value) {
    peer.jobId(value);
    return this;
  }

  /** Which pair of how many this is; a peer that says otherwise is refused. */
  public CommunicatorBuilder worker(int index, int count) {
    peer.worker(index, count);
    return this;
  }

  /**
   * A file that says what may leave this party; by default everything. See {@link
   * NodeOptions.Builder#egressPolicy}.
   */
  public CommunicatorBuilder egressPolicy(Path value) {
    node.egressPolicy(value);
    return this;
  }

  /**
   * A file that a line is added to for each tensor that leaves or arrives; by default none. See
   * {@link NodeOptions.Builder#auditLog}.
   */
  public CommunicatorBuilder auditLog(Path value) {
    node.auditLog(value);
    return this;
  }

  /** Certificates; by default those that the environment names. */
  public CommunicatorBuilder tls(TlsOptions value) {
    node.tls(value);
    peer.tls(value);
    return this;
  }

  /**
   * Opens the communicator; it listens when this returns, where it has an address for that.
   *
   * @throws IllegalStateException when the role is missing, or both addresses are
   * @throws CommunicatorException when an option is wrong, the port is in use, or a certificate
   *     can't be used
   */
  public Communicator build() {
    require(role != null, "federalRole");
    require(!peerAddress.isEmpty() || localAddressSet, "peerAddress or localAddress");
    String known = name != null ? name : generatedName();
    return new Communicator(known, role, peerAddress, node.build(), peer.name(known).build());
  }

  private static void require(boolean set, String what) {
    if (!set) {
      throw new IllegalStateException(what + " is not set.");
    }
  }

  private String generatedName() {
    return role.name().toLowerCase(Locale.ROOT) + "-" + counter.incrementAndGet();
  }
}
