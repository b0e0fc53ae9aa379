package org.efl.communicator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** How an operation ended. A limit of its own tells which one never did. */
final class Outcomes {
  private static final int LIMIT_SECONDS = 20;

  private Outcomes() {}

  static <T> T value(CompletableFuture<T> future) throws Exception {
    return future.get(LIMIT_SECONDS, TimeUnit.SECONDS);
  }

  static CommunicatorException failure(CompletableFuture<?> future) {
    return failure(future, CommunicatorException.class);
  }

  static <E extends Throwable> E failure(CompletableFuture<?> future, Class<E> type) {
    ExecutionException thrown =
        assertThrows(ExecutionException.class, () -> future.get(LIMIT_SECONDS, TimeUnit.SECONDS));
    return assertInstanceOf(type, thrown.getCause());
  }

  static CommunicatorException failure(Code code, CompletableFuture<?> future) {
    CommunicatorException failure = failure(future);
    assertEquals(code, failure.code(), failure.getMessage());
    return failure;
  }

  static void assertMentions(CommunicatorException failure, Object... words) {
    for (Object word : words) {
      assertTrue(
          failure.getMessage().contains(word.toString()),
          () -> "'" + word + "' is not in: " + failure.getMessage());
    }
  }
}
