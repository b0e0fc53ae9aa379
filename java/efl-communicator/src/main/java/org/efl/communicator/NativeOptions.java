package org.efl.communicator;

import java.util.Map;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.BytePointer;
import org.efl.nativelib.Efl;

/** A set of options as the kernel takes it: the environment first, explicit settings over it. */
final class NativeOptions implements AutoCloseable {
  /** The keys that are called otherwise in Java. */
  private static final Map<String, String> JAVA_NAMES =
      Map.ofEntries(
          Map.entry("listen_address", "listenAddress"),
          Map.entry("party_id", "partyId"),
          Map.entry("server_thread_num", "serverThreadNum"),
          Map.entry("scanning_interval_ms", "scanningInterval"),
          Map.entry("server_max_send_message_size", "serverMaxSendMessageSize"),
          Map.entry("server_max_receive_message_size", "serverMaxReceiveMessageSize"),
          Map.entry("peer_address", "peerAddress"),
          Map.entry("client_thread_num", "clientThreadNum"),
          Map.entry("default_timeout_ms", "defaultTimeout"),
          Map.entry("reconnect_timeout_ms", "reconnectTimeout"),
          Map.entry("keepalive_interval_ms", "keepalive"),
          Map.entry("keepalive_timeout_ms", "keepalive"),
          Map.entry("max_pending", "maxPending"),
          Map.entry("max_tensor_bytes", "maxTensorBytes"),
          Map.entry("max_streams", "maxStreams"),
          Map.entry("server_memory_bytes", "serverMemoryBytes"),
          Map.entry("client_max_send_message_size", "clientMaxSendMessageSize"),
          Map.entry("client_max_receive_message_size", "clientMaxReceiveMessageSize"),
          Map.entry("mailbox_bytes", "mailboxBytes"),
          Map.entry("send_completion", "sendCompletion"),
          Map.entry("window_bytes", "windowBytes"),
          Map.entry("chunk_bytes", "chunkBytes"),
          Map.entry("job_id", "jobId"),
          Map.entry("worker_index", "worker"),
          Map.entry("worker_count", "worker"),
          Map.entry("egress_policy", "egressPolicy"),
          Map.entry("audit_log", "auditLog"),
          Map.entry("my_certs_file", "myCerts"),
          Map.entry("my_key_file", "myKey"),
          Map.entry("peer_certs_file", "peerCerts"),
          Map.entry("ssl_client_auth", "clientAuth"),
          Map.entry("ssl_target_name_override", "targetNameOverride"),
          Map.entry("ssl_peer_name", "peerName"),
          Map.entry("ssl_allowed_fingerprints_file", "allowedFingerprints"),
          Map.entry("ssl_min_version", "minVersion"));

  private static final Pattern KEY =
      Pattern.compile(
          "(?<![\\w/.'(-])(?:" + String.join("|", JAVA_NAMES.keySet()) + ")(?![\\w/-])");

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

  /** Throws what the kernel has against the options, under their Java names and its own. */
  static void check(Status status) {
    try {
      status.check();
    } catch (CommunicatorException e) {
      String reason =
          KEY.matcher(e.reason())
              .replaceAll(key -> JAVA_NAMES.get(key.group()) + " (" + key.group() + ")");
      throw new CommunicatorException(
          e.code(), e.operation(), e.name(), e.step(), e.peer(), reason);
    }
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
        check(status);
      }
    }
  }

  @Override
  public void close() {
    Efl.efl_options_free(options);
  }
}
