package org.efl.benchmarks.systems;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The serving end: prints READY when it accepts, ends when its standard input does. */
@Command(name = "serve", description = "The serving end of a system.")
public final class ServeCommand implements Callable<Integer> {
  @Mixin private ChildOptions options;

  @Override
  public Integer call() throws Exception {
    try (Serving serving = options.system.serve(options)) {
      System.out.println("READY");
      CompletableFuture<Void> served = CompletableFuture.runAsync(() -> run(serving));
      CompletableFuture<Void> told = CompletableFuture.runAsync(StandardInput::awaitEnd);
      CompletableFuture.anyOf(failed(served), told).join();
      return 0;
    }
  }

  private static void run(Serving serving) {
    try {
      serving.run();
    } catch (Exception e) {
      throw new CompletionException(e);
    }
  }

  /** Ends when the other fails, and not when it succeeds. */
  private static CompletableFuture<Void> failed(CompletableFuture<Void> other) {
    return other.thenCompose(done -> new CompletableFuture<>());
  }
}
