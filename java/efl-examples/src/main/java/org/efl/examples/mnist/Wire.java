package org.efl.examples.mnist;

/** How the parties talk. */
public enum Wire {
  PLAINTEXT("plaintext"),
  /** The servers show certificates, and ask for none. */
  TLS("TLS"),
  /** Both sides show certificates. */
  MUTUAL_TLS("mutual TLS");

  private final String text;

  Wire(String text) {
    this.text = text;
  }

  String text() {
    return text;
  }

  /**
   * The communicator's own rule for the server, from the texts of {@code EFL_MY_CERTS_FILENAME} and
   * its like, "" for what isn't set.
   */
  static Wire of(String myCerts, String myKey, String peerCerts, String clientAuth) {
    if (myCerts.isEmpty() || myKey.isEmpty()) {
      return PLAINTEXT;
    }
    return peerCerts.isEmpty() || clientAuth.equals("none") ? TLS : MUTUAL_TLS;
  }
}
