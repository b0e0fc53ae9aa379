package org.efl.communicator;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The certificates of a party, PEM files all, and who is let in. With {@code myCerts} and {@code
 * myKey} the server speaks TLS; with {@code peerCerts} the client does, and the server verifies its
 * clients. What is not set comes from the environment ({@code EFL_MY_CERTS_FILENAME} and its like).
 * The files are read again when they change.
 */
public final class TlsOptions extends Options {
  /** What a TLS server asks of its clients. */
  public enum ClientAuth {
    /** A certificate that {@code peerCerts} vouches for. */
    REQUIRE,
    /** A certificate, verified when the client has one. */
    REQUEST,
    /** Nothing. */
    NONE
  }

  /** The lowest version of TLS. */
  public enum MinVersion {
    TLS_1_2("1.2"),
    /** For the whole process, while a node or peer that demands it is there. */
    TLS_1_3("1.3");

    private final String value;

    MinVersion(String value) {
      this.value = value;
    }
  }

  /** Which addresses may be listened at and dialled without TLS. */
  public enum Plaintext {
    /** Those of this host alone. */
    LOOPBACK,
    /** Any: the network is trusted, or ends TLS itself. */
    ALLOW,
    NEVER
  }

  private TlsOptions(Map<String, String> settings) {
    super(settings);
  }

  /** Plaintext in both directions, at any address, whatever the environment says. */
  public static TlsOptions none() {
    Map<String, String> settings = new LinkedHashMap<>();
    for (String key :
        new String[] {
          "my_certs_file",
          "my_key_file",
          "peer_certs_file",
          "ssl_client_auth",
          "ssl_target_name_override",
          "ssl_peer_name",
          "ssl_allowed_fingerprints_file"
        }) {
      settings.put(key, "");
    }
    settings.put("plaintext", "allow");
    return new TlsOptions(settings);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Builds {@link TlsOptions}; the files are read when a node or peer is made. */
  public static final class Builder extends Options.Builder<Builder> {
    private Builder() {}

    @Override
    Builder self() {
      return this;
    }

    /** The certificate chain of this party, its own first. Goes with {@link #myKey}. */
    public Builder myCerts(Path file) {
      return set("my_certs_file", file);
    }

    /** The private key of this party. Goes with {@link #myCerts}. */
    public Builder myKey(Path file) {
      return set("my_key_file", file);
    }

    /** The certificates that the other side is verified with. */
    public Builder peerCerts(Path file) {
      return set("peer_certs_file", file);
    }

    /** Default: {@code REQUIRE} when there are {@code peerCerts}, otherwise {@code NONE}. */
    public Builder clientAuth(ClientAuth clientAuth) {
      return set("ssl_client_auth", clientAuth.name().toLowerCase(Locale.ROOT));
    }

    /** The name to expect in the peer's certificate, where it isn't the host dialled. */
    public Builder targetNameOverride(String name) {
      return set("ssl_target_name_override", name);
    }

    /**
     * Names, one of which the peer's certificate has to carry as common name, DNS name or URI.
     * Default: the peer's party id, where both present certificates and it has one.
     */
    public Builder peerName(String... names) {
      return set("ssl_peer_name", String.join(",", names));
    }

    /**
     * A file of SHA-256 fingerprints, one a line: of the certificates that {@code peerCerts}
     * vouches for, only these are let in. Whoever is taken off it is put out.
     */
    public Builder allowedFingerprints(Path file) {
      return set("ssl_allowed_fingerprints_file", file);
    }

    /** Default: 1.2. */
    public Builder minVersion(MinVersion version) {
      return set("ssl_min_version", version.value);
    }

    /** Default: {@code LOOPBACK}. */
    public Builder plaintext(Plaintext plaintext) {
      return set("plaintext", plaintext.name().toLowerCase(Locale.ROOT));
    }

    public TlsOptions build() {
      return new TlsOptions(settings());
    }
  }
}
