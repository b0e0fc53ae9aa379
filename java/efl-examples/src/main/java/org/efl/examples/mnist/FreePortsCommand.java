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
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (ServerSocket one = new ServerSocket(0, 1, loopback);
        ServerSocket two = new ServerSocket(0, 1, loopback)) {
      System.out.println(one.getLocalPort() + " " + two.getLocalPort());
    }
    return 0;
  }
}
