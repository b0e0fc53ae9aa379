package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.efl.communicator.Role;
import org.efl.communicator.TlsOptions;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.op.Op;
import org.tensorflow.types.TFloat32;

@Timeout(120)
class TlsTest {
  private static final String PASSWORD = "changeit";

  @TempDir Path folder;

  @Test
  void shouldTrainOverMutualTls() throws Exception {
    makeCertificate("leader");
    makeCertificate("follower");
    try (Pair pair =
        Pair.open(
            c -> c.tls(tls("leader", "follower")), //
            c -> c.tls(tls("follower", "leader")))) {
      Op send = pair.leader.send("t", pair.leader.tf.constant(new float[1 << 20]));
      Operand<TFloat32> receive = pair.follower.communicator.recv(pair.follower.tf, "t");
      pair.connect();
      try (Result result =
          pair.both(() -> pair.leader.run(send), () -> pair.follower.fetch(receive))) {
        assertEquals(1 << 20, result.get(0).shape().size());
      }
    }
  }

  @Test
  void shouldTrainOverMutualTlsWhereTheFollowerOnlyDials() throws Exception {
    makeCertificate("leader");
    makeCertificate("follower");
    int port = Party.freePort();
    try (Pair pair =
        Pair.of(
            ReachabilityTest.party(Role.LEADER, true, port).tls(tls("leader", "follower")),
            ReachabilityTest.party(Role.FOLLOWER, false, port).tls(tls("follower", "leader")))) {
      ReachabilityTest.assertExchanges(pair);
    }
  }

  @Test
  void shouldRefuseAPeerWithAnotherCertificate() throws Exception {
    makeCertificate("leader");
    makeCertificate("follower");
    makeCertificate("stranger");
    try (Pair pair =
        Pair.open(
            c -> c.tls(tls("leader", "follower")).defaultTimeout(Duration.ofSeconds(3)),
            c -> c.tls(tls("stranger", "leader")).defaultTimeout(Duration.ofSeconds(3)))) {
      Future<?> leading =
          pair.start(
              () -> {
                pair.leader.communicator.initialize(pair.leader.session());
                return null;
              });
      Future<?> following =
          pair.start(
              () -> {
                pair.follower.communicator.initialize(pair.follower.session());
                return null;
              });
      assertEquals("connect", Pair.failure(leading).operation());
      assertEquals("connect", Pair.failure(following).operation());
    }
  }

  private TlsOptions tls(String mine, String theirs) {
    return TlsOptions.builder()
        .myCerts(folder.resolve(mine + ".crt"))
        .myKey(folder.resolve(mine + ".key"))
        .peerCerts(folder.resolve(theirs + ".crt"))
        .build();
  }

  /** A self-signed certificate for localhost and its key, as PEM files. */
  private void makeCertificate(String name)
      throws IOException, InterruptedException, GeneralSecurityException {
    Path store = folder.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                name,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                "CN=" + name,
                "-ext",
                "san=dns:localhost",
                "-validity",
                "2",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD)
            .inheritIO()
            .start();
    Assertions.assertTrue(keytool.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, keytool.exitValue());
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    writePem(name + ".crt", "CERTIFICATE", keys.getCertificate(name).getEncoded());
    writePem(name + ".key", "PRIVATE KEY", keys.getKey(name, PASSWORD.toCharArray()).getEncoded());
  }

  private void writePem(String file, String what, byte[] der) throws IOException {
    String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    Files.writeString(
        folder.resolve(file),
        "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n");
  }
}
