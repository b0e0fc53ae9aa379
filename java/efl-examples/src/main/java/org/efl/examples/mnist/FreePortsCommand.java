package org.efl.examples.mnist;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

@Command(
    name = "free-ports",
    hidden = true,
    description = "Prints two ports of the loopback interface that are free now.")
final class FreePortsCommand implements Callable<Integer> {
  @Override
  public Integer call() throws IOException {
    int[] ports = two();
    System.out.println(ports[0] + " " + ports[1]);
    return 0;
  }

  private static int[] two() throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (ServerSocket one = new ServerSocket(0, 1, loopback);
        ServerSocket two = new ServerSocket(0, 1, loopback)) {
      return new int[] {one.getLocalPort(), two.getLocalPort()};
    }
  }

  /** Addresses for two parties that have to know each other's before they listen. */
  static String[] addresses() throws IOException {
    int[] ports = two();
    return new String[] {"localhost:" + ports[0], "localhost:" + ports[1]};
  }
}
