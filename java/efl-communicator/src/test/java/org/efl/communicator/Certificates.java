package org.efl.communicator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A certificate authority and what it has issued, made with the openssl command once per JVM:
 * {@code leader}, {@code follower}, {@code expired}, {@code elsewhere} (valid, for another host),
 * and {@code stranger} of another authority. All but {@code elsewhere} are for localhost.
 */
final class Certificates {
  private static final Certificates ONCE = new Certificates();

  private final Path folder;

  private Certificates() {
    try {
      folder = Files.createTempDirectory("efl-certificates");
      authority("ca");
      authority("other-ca");
      issue("leader", "ca", "DNS:localhost,DNS:leader.efl,IP:127.0.0.1", "20990101000000Z");
      issue("follower", "ca", "DNS:localhost,DNS:follower.efl,IP:127.0.0.1", "20990101000000Z");
      issue("expired", "ca", "DNS:localhost,IP:127.0.0.1", "20200102000000Z");
      issue("elsewhere", "ca", "DNS:elsewhere.efl", "20990101000000Z");
      issue("stranger", "other-ca", "DNS:localhost,IP:127.0.0.1", "20990101000000Z");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(this::delete));
  }

  static Path certificate(String name) {
    return ONCE.folder.resolve(name + ".crt");
  }

  static Path key(String name) {
    return ONCE.folder.resolve(name + ".key");
  }

  /** As {@code openssl x509 -fingerprint} writes it. */
  static String fingerprint(String name) throws IOException {
    return ONCE.openssl("x509", "-in", name + ".crt", "-noout", "-fingerprint", "-sha256").strip();
  }

  static Path authority() {
    return certificate("ca");
  }

  static Path otherAuthority() {
    return certificate("other-ca");
  }

  /** A file that is no certificate and no key. */
  static Path garbage() throws IOException {
    Path file = ONCE.folder.resolve("garbage.pem");
    Files.writeString(file, "-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n");
    return file;
  }

  /** Mutual TLS as this party. */
  static TlsOptions mutual(String name) {
    return TlsOptions.builder()
        .myCerts(certificate(name))
        .myKey(key(name))
        .peerCerts(authority())
        .clientAuth(TlsOptions.ClientAuth.REQUIRE)
        .targetNameOverride("")
        .build();
  }

  private void authority(String name) throws IOException {
    newKey(name, name, "-x509", "-days", "36500", "-out", name + ".crt");
    Files.writeString(folder.resolve(name + ".txt"), "");
    Files.writeString(folder.resolve(name + ".serial"), "01\n");
  }

  private void issue(String name, String authority, String names, String end) throws IOException {
    newKey(name, name + ".efl", "-out", name + ".csr");
    Files.writeString(
        folder.resolve(name + ".cnf"),
        """
        [ca]
        default_ca = this
        [this]
        database = %2$s.txt
        serial = %2$s.serial
        new_certs_dir = .
        default_md = sha256
        policy = policy
        x509_extensions = extensions
        unique_subject = no
        [policy]
        commonName = supplied
        [extensions]
        subjectAltName = %1$s
        """
            .formatted(names, authority));
    openssl(
        "ca",
        "-batch",
        "-notext",
        "-config",
        name + ".cnf",
        "-cert",
        authority + ".crt",
        "-keyfile",
        authority + ".key",
        "-in",
        name + ".csr",
        "-out",
        name + ".crt",
        "-startdate",
        "20200101000000Z",
        "-enddate",
        end);
  }

  private void newKey(String name, String commonName, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"));
    arguments.addAll(List.of("-subj", "/CN=" + commonName, "-keyout", name + ".key"));
    arguments.addAll(List.of(more));
    openssl(arguments.toArray(String[]::new));
  }

  private String openssl(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("openssl"));
    command.addAll(Arrays.asList(arguments));
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new IOException(command + ": " + output);
      }
      return output;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    } finally {
      process.destroyForcibly();
    }
  }

  private void delete() {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
      Files.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
