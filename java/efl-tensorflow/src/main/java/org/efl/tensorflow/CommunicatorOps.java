package org.efl.tensorflow;

import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.Supplier;
import org.efl.communicator.DType;
import org.efl.communicator.Peer;
import org.tensorflow.ExecutionEnvironment;
import org.tensorflow.Graph;
import org.tensorflow.GraphOperation;
import org.tensorflow.Operand;
import org.tensorflow.Operation;
import org.tensorflow.OperationAttributeInspector;
import org.tensorflow.OperationBuilder;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Operands;
import org.tensorflow.op.Ops;
import org.tensorflow.proto.DataType;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.TString;
import org.tensorflow.types.family.TType;

/** Makes the ops that a user puts into a graph. */
final class CommunicatorOps {
  private static final String RECV_TENSOR = "EflRecvTensor";
  private static final String SEND_READER_STATE = "EflSendReaderState";
  private static final String TERMINATE_READER = "EflTerminateReader";
  private static final Set<String> DATASET_OPS = Set.of(SEND_READER_STATE, TERMINATE_READER);

  private final String communicator;
  private final Peer peer;

  /** "send fc1", "receive fc1", … per graph; graphs are not kept alive. */
  private final Map<ExecutionEnvironment, Set<String>> taken =
      Collections.synchronizedMap(new WeakHashMap<>());

  CommunicatorOps(String communicator, Peer peer) {
    this.communicator = communicator;
    this.peer = peer;
  }

  Op send(Ops tf, String name, Operand<? extends TType> tensor) {
    return taking(
        tf,
        "sends a tensor",
        name,
        () ->
            build(
                op(tf, "EflSendTensor").setAttr("tensor_name", name).addInput(tensor.asOutput())));
  }

  <T extends TType> Operand<T> recv(Ops tf, String name, Class<T> dtype, Shape shape) {
    Operand<T> tensor = recv(tf, name, Operands.toDataType(dtype), shape);
    // The C API of shape functions can't read a shape attribute, so a standard op says it.
    return shape.isUnknown() ? tensor : tf.ensureShape(tensor, shape);
  }

  <T extends TType> Operand<T> recv(Ops tf, String name, DataType dtype, Shape shape) {
    Operation receive =
        taking(
            tf,
            "receives a tensor",
            name,
            () -> {
              register(name, dtype, shape);
              return built(
                  op(tf, RECV_TENSOR)
                      .setAttr("tensor_name", name)
                      .setAttr("dtype", dtype)
                      .setAttr("shape", shape));
            });
    return receive.output(0);
  }

  private void register(String name, DataType dtype, Shape shape) {
    DType type = DType.of(dtype.getNumber());
    if (shape.isUnknown()) {
      peer.registerTensorOfAnyShape(name, type);
    } else {
      peer.registerTensor(name, type, shape.asArray());
    }
  }

  /**
   * Makes known what the peer will send to a graph, or ask it for: a graph that was loaded brings
   * ops that weren't made here. What is in the bodies of its functions isn't seen.
   */
  void registerReceives(Graph graph) {
    for (Iterator<GraphOperation> all = graph.operations(); all.hasNext(); ) {
      GraphOperation operation = all.next();
      if (operation.type().equals(RECV_TENSOR)) {
        registerReceive(operation.attributes());
      } else if (DATASET_OPS.contains(operation.type())) {
        registerDataset(operation.attributes());
      }
    }
  }

  private void registerDataset(OperationAttributeInspector attributes) {
    if (attributes.getAttrString("communicator").equals(communicator)) {
      peer.registerDataset(attributes.getAttrString("dataset_name"));
    }
  }

  private void registerReceive(OperationAttributeInspector attributes) {
    if (attributes.getAttrString("communicator").equals(communicator)) {
      register(
          attributes.getAttrString("tensor_name"),
          attributes.getAttrType("dtype"),
          attributes.getAttrShape("shape"));
    }
  }

  Op sendReaderState(Ops tf, String name, Operand<TString> blockId, Operand<TInt64> sampleIndex) {
    peer.registerDataset(name);
    return build(
        op(tf, SEND_READER_STATE)
            .setAttr("dataset_name", name)
            .addInput(blockId.asOutput())
            .addInput(sampleIndex.asOutput()));
  }

  ReaderStateOperands recvReaderState(Ops tf, String name) {
    Operation operation =
        built(op(tf, "EflRecvReaderState").setAttr("dataset_name", checked(name)));
    return new ReaderStateOperands(operation.output(0), operation.output(1));
  }

  Op terminateReader(Ops tf, String name) {
    peer.registerDataset(name);
    return build(op(tf, TERMINATE_READER).setAttr("dataset_name", name));
  }

  Op addStep(Ops tf) {
    return build(op(tf, "EflAddStep"));
  }

  private OperationBuilder op(Ops tf, String type) {
    return tf.scope().opBuilder(type, type).setAttr("communicator", communicator);
  }

  private static Op build(OperationBuilder builder) {
    Operation operation = built(builder);
    return () -> operation;
  }

  /** In an eager session this is the run. */
  private static Operation built(OperationBuilder builder) {
    try {
      return builder.build();
    } catch (RuntimeException e) {
      throw Failures.translate(e);
    }
  }

  /** Marks a name of the graph as taken, unless what takes it fails. */
  private <R> R taking(Ops tf, String what, String name, Supplier<R> make) {
    checked(name);
    ExecutionEnvironment environment = tf.scope().env();
    if (environment.isEager()) {
      return make.get(); // There each call is a run.
    }
    Set<String> names =
        taken.computeIfAbsent(environment, e -> Collections.synchronizedSet(new HashSet<>()));
    String use = what + " " + name;
    if (!names.add(use)) {
      throw new IllegalArgumentException(
          "This graph already " + what + " named '" + name + "' with " + communicator + ".");
    }
    try {
      return make.get();
    } catch (RuntimeException | Error e) {
      names.remove(use);
      throw e;
    }
  }

  private static String checked(String name) {
    Objects.requireNonNull(name, "name");
    if (name.isEmpty()) {
      throw new IllegalArgumentException("The name must not be empty.");
    }
    return name;
  }
}
