package org.efl.benchmarks.suite;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.efl.benchmarks.Json;
import tools.jackson.databind.JsonNode;

/** Where a system has its turn: two processes, and proxies between them where a delay is wanted. */
final class Stage {
  private static final List<String> TLS_VARIABLES =
      List.of(
          "EFL_MY_CERTS_FILENAME",
          "EFL_MY_KEY_FILENAME",
          "EFL_PEER_CERTS_FILENAME",
          "EFL_SSL_TARGET_NAME_OVERRIDE",
          "EFL_SSL_CLIENT_AUTH");
  private static final int READY_LIMIT_S = 30;

  /** So that the outputs of ops that receive 1 GiB come from memory that was used before. */
  private static final long LARGE_POOL_BYTES = 3L << 30;

  private final Path nativeProgram;
  private final Path certificates;
  private final int limitSeconds;

  Stage(Path nativeProgram, Path certificates, int limitSeconds) {
    this.nativeProgram = nativeProgram;
    this.certificates = certificates;
    this.limitSeconds = limitSeconds;
  }

  /** Measures once; returns the fields that the driving end printed. */
  JsonNode measure(MeasuredSystem system, Scenario scenario)
      throws IOException, InterruptedException {
    List<Integer> ports = freePorts(4);
    int port = ports.get(0);
    int peerPort = ports.get(1);
    List<Child> children = new ArrayList<>();
    try {
      boolean delayed = scenario.delayMs() > 0;
      int dialled = delayed ? proxy(children, ports.get(2), port, scenario) : port;
      int peerDialled = delayed ? proxy(children, ports.get(3), peerPort, scenario) : peerPort;
      Child serving = start(children, system, Side.SERVE, scenario, port, peerDialled);
      serving.awaitReady(READY_LIMIT_S);
      Child driving = start(children, system, Side.DRIVE, scenario, dialled, peerPort);
      JsonNode figures = system.reading().apply(json(driving.awaitEnd(limitSeconds)));
      serving.end();
      return figures;
    } finally {
      Collections.reverse(children);
      children.forEach(Child::close);
    }
  }

  private int proxy(List<Child> children, int listen, int to, Scenario scenario)
      throws IOException, InterruptedException {
    List<String> command =
        List.of(
            nativeProgram.toString(),
            "proxy",
            "--listen",
            Integer.toString(listen),
            "--to",
            Integer.toString(to),
            "--delay-ms",
            Integer.toString(scenario.delayMs()));
    Child proxy = Child.start("proxy", command, Map.of(), "READY");
    children.add(proxy);
    proxy.awaitReady(READY_LIMIT_S);
    return listen;
  }

  private Child start(
      List<Child> children,
      MeasuredSystem system,
      Side side,
      Scenario scenario,
      int port,
      int peerPort)
      throws IOException {
    Optional<Path> tls = scenario.tls() ? Optional.of(certificates) : Optional.empty();
    MeasuredSystem.Turn turn =
        new MeasuredSystem.Turn(scenario.within(system.largestTensor()), port, peerPort, tls);
    Child child =
        Child.start(
            system.name() + " " + side.command(),
            system.commands().of(side, turn),
            environment(system, side, scenario),
            system.ready());
    children.add(child);
    return child;
  }

  private Map<String, String> environment(MeasuredSystem system, Side side, Scenario scenario) {
    Map<String, String> environment = new LinkedHashMap<>();
    TLS_VARIABLES.forEach(variable -> environment.put(variable, ""));
    if (scenario.tls()) {
      Path own = certificates.resolve(side.certificate() + ".crt");
      Path key = certificates.resolve(side.certificate() + ".key");
      environment.put("EFL_MY_CERTS_FILENAME", own.toString());
      environment.put("EFL_MY_KEY_FILENAME", key.toString());
      environment.put("EFL_PEER_CERTS_FILENAME", certificates.resolve("ca.crt").toString());
    }
    if (scenario.largeTensors()) {
      environment.put("EFL_BUFFER_POOL_BYTES", Long.toString(LARGE_POOL_BYTES));
    }
    environment.put("TF_CPP_MIN_LOG_LEVEL", "2");
    environment.putAll(system.environment());
    return environment;
  }

  private static JsonNode json(String output) throws IOException {
    int start = output.startsWith("{") ? 0 : output.indexOf("\n{") + 1;
    if (!output.startsWith("{", start)) {
      throw new IOException("No figures in what was printed: " + output);
    }
    return Json.parse(output.substring(start));
  }

  private static List<Integer> freePorts(int count) throws IOException {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      List<Integer> ports = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        sockets.add(socket);
        ports.add(socket.getLocalPort());
      }
      return ports;
    } finally {
      for (ServerSocket socket : sockets) {
        socket.close();
      }
    }
  }
}
