package org.efl.tensorflow;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.Role;
import org.junit.jupiter.api.Assertions;
import org.tensorflow.proto.ConfigProto;

/** Two parties in this JVM, over loopback. */
final class Pair implements AutoCloseable {
  private static final long LIMIT_S = 200;

  final Party leader;
  final Party follower;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "party");
            thread.setDaemon(true);
            return thread;
          });

  private Pair(Party leader, Party follower) {
    this.leader = leader;
    this.follower = follower;
  }

  static Pair open() {
    return open(settings -> settings);
  }

  static Pair open(UnaryOperator<CommunicatorBuilder> settings) {
    return open(settings, settings);
  }

  static Pair open(
      UnaryOperator<CommunicatorBuilder> ofLeader, UnaryOperator<CommunicatorBuilder> ofFollower) {
    int leaderPort = Party.freePort();
    int followerPort = Party.freePort();
    Party leader = Party.open(Role.LEADER, leaderPort, followerPort, ofLeader);
    try {
      return new Pair(leader, Party.open(Role.FOLLOWER, followerPort, leaderPort, ofFollower));
    } catch (RuntimeException e) {
      leader.close();
      throw e;
    }
  }

  static Pair of(CommunicatorBuilder ofLeader, CommunicatorBuilder ofFollower) {
    Party leader = new Party(ofLeader.build());
    try {
      return new Pair(leader, new Party(ofFollower.build()));
    } catch (RuntimeException e) {
      leader.close();
      throw e;
    }
  }

  Pair connect() {
    return connect(ConfigProto.getDefaultInstance());
  }

  Pair connect(ConfigProto config) {
    leader.session(config);
    follower.session(config);
    both(
        () -> initialize(leader), //
        () -> initialize(follower));
    return this;
  }

  private static Void initialize(Party party) {
    party.communicator.initialize(party.session());
    return null;
  }

  <T> Future<T> start(Callable<T> work) {
    return threads.submit(work);
  }

  /** Runs both at once and returns what the follower's returns. */
  <T> T both(Callable<?> ofLeader, Callable<T> ofFollower) {
    Future<?> leading = start(ofLeader);
    Future<T> following = start(ofFollower);
    T value = await(following);
    await(leading);
    return value;
  }

  static <T> T await(Future<T> future) {
    try {
      return future.get(LIMIT_S, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError("A party failed: " + e.getCause().getMessage(), e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("A party did not end within " + LIMIT_S + " s", e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** What a party that has to fail fails with. */
  static CommunicatorException failure(Future<?> future) {
    ExecutionException failed =
        Assertions.assertThrows(
            ExecutionException.class, () -> future.get(LIMIT_S, TimeUnit.SECONDS));
    return Assertions.assertInstanceOf(CommunicatorException.class, failed.getCause());
  }

  /** Waits until a condition holds that the other party or the kernel brings about. */
  static void until(Callable<Boolean> condition) throws Exception {
    long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
    while (!condition.call()) {
      Assertions.assertTrue(System.nanoTime() < limit, "the condition never held");
      Thread.onSpinWait();
    }
  }

  @Override
  public void close() {
    follower.close();
    leader.close();
    threads.shutdownNow();
  }
}
