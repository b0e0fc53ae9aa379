package org.efl.communicator;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The certificates of a party, PEM files all. With {@code myCerts} and {@code myKey} the server
 * speaks TLS; with {@code peerCerts} the client does, and the server verifies its clients. What is
 * not set comes from the environment ({@code EFL_MY_CERTS_FILENAME} and its like).
 */
public final class TlsOptions {
  /** What a TLS server asks of its clients. */
  public enum ClientAuth {
    /** A certificate that {@code peerCerts} vouches for. */
    REQUIRE,
    /** A certificate, verified when the client has one. */
    REQUEST,
    /** Nothing. */
    NONE
  }

  private final Map<String, String> settings;

  private TlsOptions(Map<String, String> settings) {
    this.settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
  }

  /** Plaintext in both directions, whatever the environment says. */
  public static TlsOptions none() {
    Map<String, String> settings = new LinkedHashMap<>();
    for (String key :
        new String[] {
          "my_certs_file",
          "my_key_file",
          "peer_certs_file",
          "ssl_client_auth",
          "ssl_target_name_override"
        }) {
      settings.put(key, "");
    }
    return new TlsOptions(settings);
  }

  public static Builder builder() {
    return new Builder();
  }

  Map<String, String> settings() {
    return settings;
  }

  /** Builds {@link TlsOptions}; the files are read when a node or peer is made. */
  public static final class Builder {
    private final Map<String, String> settings = new LinkedHashMap<>();

    private Builder() {}

    /** The certificate chain of this party, its own first. Goes with {@link #myKey}. */
    public Builder myCerts(Path file) {
      settings.put("my_certs_file", file.toString());
      return this;
    }

    /** The private key of this party. Goes with {@link #myCerts}. */
    public Builder myKey(Path file) {
      settings.put("my_key_file", file.toString());
      return this;
    }

    /** The certificates that the other side is verified with. */
    public Builder peerCerts(Path file) {
      settings.put("peer_certs_file", file.toString());
      return this;
    }

    /** Default: {@code REQUIRE} when there are {@code peerCerts}, otherwise {@code NONE}. */
    public Builder clientAuth(ClientAuth clientAuth) {
      settings.put("ssl_client_auth", clientAuth.name().toLowerCase(Locale.ROOT));
      return this;
    }

    /** The name to expect in the peer's certificate, where it isn't the host dialled. */
    public Builder targetNameOverride(String name) {
      settings.put("ssl_target_name_override", name);
      return this;
    }

    public TlsOptions build() {
      return new TlsOptions(settings);
    }
  }
}
