package org.efl.communicator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Nodes that nobody closes, each in a process of its own. */
@Timeout(120)
class ForgottenNodeTest {
  /** Forgets a node, and waits for its port to be free again. */
  static final class Forgets {
    public static void main(String[] arguments) {
      int port = open();
      while (!isFree(port)) {
        System.gc();
        Thread.onSpinWait();
      }
    }

    private static int open() {
      Node node = Node.open(Pair.listening().build());
      node.addPeer(Pair.towards(Role.LEADER, 1).build());
      return node.port();
    }

    private static boolean isFree(int port) {
      try (Node node = Node.open(Pair.listening().listenAddress("localhost:" + port).build())) {
        return node.port() == port;
      } catch (CommunicatorException e) {
        return false;
      }
    }

    private Forgets() {}
  }

  /** Holds nothing but the future of an operation of a node. */
  static final class HoldsAFuture {
    public static void main(String[] arguments) throws InterruptedException {
      CompletableFuture<Void> connecting = start();
      for (int i = 0; i < 10; i++) {
        System.gc();
      }
      try {
        connecting.get();
      } catch (ExecutionException e) {
        System.out.println(e.getCause().getMessage());
      }
    }

    private static CompletableFuture<Void> start() {
      Node node = Node.open(Pair.listening().build());
      Peer peer = node.addPeer(Pair.towards(Role.LEADER, 1).build());
      return peer.connect(Duration.ofSeconds(1));
    }

    private HoldsAFuture() {}
  }

  /** Ends with a connected pair and a pending receive, nothing closed. */
  static final class Exits {
    public static void main(String[] arguments) throws Exception {
      Pair pair = Pair.connected();
      pair.leader.registerTensor("t", DType.FLOAT);
      CompletableFuture<Tensor> received = pair.leader.receive("t", 0);
      System.out.println("pending: " + !received.isDone());
    }

    private Exits() {}
  }

  @Test
  void shouldCloseAForgottenNodeAndSaySo() throws Exception {
    ChildJvm.Outcome outcome = ChildJvm.run(Forgets.class, Map.of(), 60);

    assertEquals(0, outcome.exit(), outcome.output());
    assertTrue(outcome.output().contains("was never closed"), outcome.output());
  }

  @Test
  void shouldKeepANodeWhoseOperationIsPending() throws Exception {
    ChildJvm.Outcome outcome = ChildJvm.run(HoldsAFuture.class, Map.of(), 60);

    assertTrue(outcome.output().contains("DEADLINE_EXCEEDED: connect"), outcome.output());
  }

  @Test
  void shouldLetTheJvmEndWithNothingClosed() throws Exception {
    ChildJvm.Outcome outcome = ChildJvm.run(Exits.class, Map.of(), 60);

    assertEquals(0, outcome.exit(), outcome.output());
    assertTrue(outcome.output().contains("pending: true"), outcome.output());
  }
}
