package org.efl.communicator;

import io.grpc.stub.StreamObserver;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.efl.proto.ConnectionRequest;
import org.efl.proto.ConnectionResponse;
import org.efl.proto.GetCheckpointVersionRequest;
import org.efl.proto.GetCheckpointVersionResponse;
import org.efl.proto.GetReaderStateRequest;
import org.efl.proto.GetReaderStateResponse;
import org.efl.proto.MessageRequest;
import org.efl.proto.MessageResponse;
import org.efl.proto.TrainerServiceGrpc;
import org.efl.proto.tensorflow.TensorProto;

/**
 * What an EFLS party serves. A message is answered when it is consumed; one is parked per name, a
 * second one replaces it and the first is never answered. Errors travel in the answer's code.
 */
public final class EflsService extends TrainerServiceGrpc.TrainerServiceImplBase {
  private static final int OK = 0;
  private static final int INVALID_ARGUMENT = 3;
  private static final int NOT_FOUND = 5;
  private static final int DATA_LOSS = 15;

  /** A failed receive of this party. */
  public static final class ReceiveFailed extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final int code;

    ReceiveFailed(int code, String message) {
      super(message);
      this.code = code;
    }

    int code() {
      return code;
    }
  }

  private record Parked(MessageRequest request, StreamObserver<MessageResponse> answer) {}

  /** Of one dataset: what has been asked or answered, while the other is missing. */
  private record Reader(
      Queue<StreamObserver<GetReaderStateResponse>> questions,
      Queue<GetReaderStateResponse> answers) {}

  private record Waiting(long step, CompletableFuture<TensorProto> tensor) {}

  private final CompletableFuture<Void> connected = new CompletableFuture<>();
  private final Set<String> registered = new HashSet<>();
  private final Map<String, CompletableFuture<Void>> arrivals = new HashMap<>();
  private final Map<String, Parked> parked = new HashMap<>();
  private final Map<String, Waiting> waiting = new HashMap<>();
  private final Map<String, Reader> readers = new HashMap<>();
  private final CompletableFuture<GetCheckpointVersionResponse> checkpointVersion =
      new CompletableFuture<>();

  /** Completes when a follower has connected. */
  public CompletableFuture<Void> connected() {
    return connected;
  }

  public synchronized void register(String name) {
    registered.add(name);
  }

  /** Completes when a message of this name has been parked. */
  synchronized CompletableFuture<Void> arrival(String name) {
    return arrivals.computeIfAbsent(name, key -> new CompletableFuture<>());
  }

  public synchronized CompletableFuture<TensorProto> receive(String name, long step) {
    CompletableFuture<TensorProto> tensor = new CompletableFuture<>();
    Parked message = parked.remove(name);
    if (!registered.contains(name)) {
      tensor.completeExceptionally(new ReceiveFailed(INVALID_ARGUMENT, name));
    } else if (message == null) {
      waiting.put(name, new Waiting(step, tensor));
    } else if (message.request().getStep() == step) {
      answer(message.answer(), OK, "");
      tensor.complete(message.request().getTensor());
    } else {
      answer(message.answer(), DATA_LOSS, "step mismatch");
      tensor.completeExceptionally(new ReceiveFailed(DATA_LOSS, "step mismatch"));
    }
    return tensor;
  }

  /** Answers one request for the state of this dataset; each needs an answer of its own. */
  public synchronized void answerReaderState(String dataset, GetReaderStateResponse answer) {
    Reader reader = reader(dataset);
    reader.answers().add(answer);
    answerNext(reader);
  }

  public void answerCheckpointVersion(GetCheckpointVersionResponse answer) {
    checkpointVersion.complete(answer);
  }

  @Override
  public void connect(ConnectionRequest request, StreamObserver<ConnectionResponse> answer) {
    answer.onNext(ConnectionResponse.getDefaultInstance());
    answer.onCompleted();
    connected.complete(null);
  }

  @Override
  public synchronized void sendMessage(
      MessageRequest request, StreamObserver<MessageResponse> answer) {
    String name = request.getName();
    Waiting receive = waiting.get(name);
    if (!registered.contains(name)) {
      answer(answer, NOT_FOUND, "Tensor named " + name + " not registered.");
    } else if (receive != null && receive.step() == request.getStep()) {
      waiting.remove(name);
      answer(answer, OK, "");
      receive.tensor().complete(request.getTensor());
    } else {
      parked.put(name, new Parked(request, answer));
      arrival(name).complete(null);
    }
  }

  @Override
  public synchronized void getReaderState(
      GetReaderStateRequest request, StreamObserver<GetReaderStateResponse> answer) {
    Reader reader = reader(request.getName());
    reader.questions().add(answer);
    answerNext(reader);
  }

  @Override
  public void getCheckpointVersion(
      GetCheckpointVersionRequest request, StreamObserver<GetCheckpointVersionResponse> answer) {
    var unused =
        checkpointVersion.thenAccept(
            version -> {
              answer.onNext(version);
              answer.onCompleted();
            });
  }

  private Reader reader(String dataset) {
    return readers.computeIfAbsent(
        dataset, key -> new Reader(new ArrayDeque<>(), new ArrayDeque<>()));
  }

  private static void answerNext(Reader reader) {
    if (!reader.questions().isEmpty() && !reader.answers().isEmpty()) {
      StreamObserver<GetReaderStateResponse> question = reader.questions().remove();
      question.onNext(reader.answers().remove());
      question.onCompleted();
    }
  }

  private static void answer(StreamObserver<MessageResponse> answer, int code, String message) {
    answer.onNext(MessageResponse.newBuilder().setCodeValue(code).setMsg(message).build());
    answer.onCompleted();
  }
}
