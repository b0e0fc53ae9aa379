package org.efl.benchmarks.systems;

import org.efl.communicator.Role;

/** Where the parties of a pair are. The leader serves, the follower drives. */
final class EflPorts {
  private EflPorts() {}

  static String local(Role role, ChildOptions options) {
    return address(role == Role.LEADER ? options.port : options.peerPort);
  }

  static String peer(Role role, ChildOptions options) {
    int port = role == Role.LEADER ? options.peerPort : options.port;
    return address(options.dialPort.orElse(port));
  }

  private static String address(int port) {
    return "localhost:" + port;
  }
}
