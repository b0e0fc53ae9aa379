package org.efl.tensorflow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.efl.communicator.Role;
import org.efl.communicator.TlsOptions;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Operation;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.proto.ConfigProto;

/** One party of a test: a communicator, a graph, and a session when it is first asked for. */
final class Party implements AutoCloseable {
  private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

  final Communicator communicator;
  final Graph graph = new Graph();
  final Ops tf = Ops.create(graph);
  private Session session;

  Party(Communicator communicator) {
    this.communicator = communicator;
  }

  Session session() {
    return session(ConfigProto.getDefaultInstance());
  }

  Session session(ConfigProto config) {
    if (session == null) {
      session = new Session(graph, config);
    }
    return session;
  }

  Op send(String name, Operand<?> tensor) {
    return communicator.send(tf, name, tensor);
  }

  /** Runs ops whose results nobody needs. */
  Void run(Op... ops) {
    Session.Runner runner = session().runner();
    for (Op op : ops) {
      runner.addTarget(op);
    }
    try {
      runner.run().close();
      return null;
    } catch (RuntimeException e) {
      throw Communicator.translate(e);
    }
  }

  Result fetch(Operand<?>... operands) {
    Session.Runner runner = session().runner();
    for (Operand<?> operand : operands) {
      runner.fetch(operand);
    }
    try {
      return runner.run();
    } catch (RuntimeException e) {
      throw Communicator.translate(e);
    }
  }

  Operation op(String type, String... attributes) {
    var builder = tf.scope().opBuilder(type, type).setAttr("communicator", communicator.name());
    for (int i = 0; i < attributes.length; i += 2) {
      builder.setAttr(attributes[i], attributes[i + 1]);
    }
    return builder.build();
  }

  @Override
  public void close() {
    communicator.close();
    if (session != null) {
      session.close();
    }
    graph.close();
  }

  /** A port that was free a moment ago, and that nobody here was given before. */
  static int freePort() {
    while (true) {
      try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        if (GIVEN.add(socket.getLocalPort())) {
          return socket.getLocalPort();
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  static CommunicatorBuilder builder(Role role, int port, int peerPort) {
    return Communicator.builder()
        .federalRole(role)
        .localAddress("localhost:" + port)
        .peerAddress("localhost:" + peerPort)
        .scanningInterval(Duration.ofMillis(200))
        .defaultTimeout(Duration.ofMinutes(2))
        .tls(TlsOptions.none());
  }

  static Party open(
      Role role, int port, int peerPort, UnaryOperator<CommunicatorBuilder> settings) {
    return new Party(settings.apply(builder(role, port, peerPort)).build());
  }
}
