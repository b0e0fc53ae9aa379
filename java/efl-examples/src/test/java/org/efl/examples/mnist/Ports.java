package org.efl.examples.mnist;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Addresses for a pair that has to know each other's before it listens. */
final class Ports {
  private Ports() {}

  /** Two addresses of this machine whose ports are free now. */
  static String[] two() throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (ServerSocket one = new ServerSocket(0, 1, loopback);
        ServerSocket two = new ServerSocket(0, 1, loopback)) {
      return new String[] {"localhost:" + one.getLocalPort(), "localhost:" + two.getLocalPort()};
    }
  }
}
