package org.efl.tensorflow;

import org.efl.communicator.Role;
import org.tensorflow.Graph;
import org.tensorflow.GraphOperation;
import org.tensorflow.GraphOperationBuilder;
import org.tensorflow.Operation;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.proto.DataType;
import org.tensorflow.types.TString;

/**
 * Runs the communicator's own ops in a session. Each is made once per graph, under a name of its
 * own, when it is first needed.
 */
final class SessionOps {
  private final String communicator;
  private final Role role;

  SessionOps(String communicator, Role role) {
    this.communicator = communicator;
    this.role = role;
  }

  void connect(Session session) {
    run(session, role == Role.LEADER ? "EflConnectAsLeader" : "EflConnectAsFollower");
  }

  void closeConnection(Session session) {
    run(session, "EflCloseConnection");
  }

  void addStep(Session session) {
    run(session, "EflAddStep");
  }

  private void run(Session session, String type) {
    session.runner().addTarget(operation(session.graph(), type)).run().close();
  }

  void sendCheckpointVersion(Session session, String version) {
    Graph graph = session.graph();
    Operation send;
    Operation input;
    synchronized (graph) {
      input = versionInput(graph);
      GraphOperation found = graph.operation(nameOf("EflSendCheckpointVersion"));
      send =
          found != null
              ? found
              : builder(graph, "EflSendCheckpointVersion").addInput(input.output(0)).build();
    }
    try (TString value = TString.scalarOf(version)) {
      session.runner().feed(input.output(0), value).addTarget(send).run().close();
    }
  }

  private Operation versionInput(Graph graph) {
    String name = nameOf("CheckpointVersion");
    GraphOperation found = graph.operation(name);
    return found != null
        ? found
        : graph
            .opBuilder("Placeholder", name, graph.baseScope())
            .setAttr("dtype", DataType.DT_STRING)
            .build();
  }

  String receiveCheckpointVersion(Session session) {
    Operation receive = operation(session.graph(), "EflRecvCheckpointVersion");
    try (Result result = session.runner().fetch(receive.output(0)).run()) {
      return ((TString) result.get(0)).getObject();
    }
  }

  private Operation operation(Graph graph, String type) {
    synchronized (graph) {
      GraphOperation found = graph.operation(nameOf(type));
      return found != null ? found : builder(graph, type).build();
    }
  }

  private GraphOperationBuilder builder(Graph graph, String type) {
    return graph
        .opBuilder(type, nameOf(type), graph.baseScope())
        .setAttr("communicator", communicator);
  }

  private String nameOf(String type) {
    return "efl/" + communicator + "/" + type;
  }
}
