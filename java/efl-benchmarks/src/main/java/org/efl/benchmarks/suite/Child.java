package org.efl.benchmarks.suite;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** A process that this one has started. It ends with this one, at the latest. */
final class Child implements AutoCloseable {
  private static final int LAST_WORDS = 20;
  private static final int END_LIMIT_S = 15;
  private static final Collection<Process> running = new ConcurrentLinkedQueue<>();

  static {
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> running.forEach(Process::destroyForcibly)));
  }

  private final String name;
  private final Process process;
  private final CompletableFuture<Void> ready = new CompletableFuture<>();
  private final CompletableFuture<String> output;
  private final CompletableFuture<String> lastWords;

  private Child(String name, Process process, String readyLine) {
    this.name = name;
    this.process = process;
    running.add(process);
    output =
        reading(process.inputReader(), lines(readyLine))
            .whenComplete(
                (text, failure) ->
                    ready.completeExceptionally(new IOException("the end of the output")));
    lastWords = reading(process.errorReader(), new LastLines());
  }

  /**
   * Starts it.
   *
   * @param environment what is set beside this process's own, or taken out where it is empty
   * @param readyLine what the line begins with that it prints when it is ready
   */
  static Child start(
      String name, List<String> command, Map<String, String> environment, String readyLine)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    environment.forEach(
        (variable, value) -> {
          if (value.isEmpty()) {
            builder.environment().remove(variable);
          } else {
            builder.environment().put(variable, value);
          }
        });
    return new Child(name, builder.start(), readyLine);
  }

  private Lines lines(String readyLine) {
    return new AllLines(
        line -> {
          if (line.startsWith(readyLine)) {
            ready.complete(null);
          }
        });
  }

  private static CompletableFuture<String> reading(BufferedReader reader, Lines lines) {
    return CompletableFuture.supplyAsync(
        () -> {
          try (reader) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
              lines.add(line);
            }
            return lines.text();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        task -> new Thread(task, "output").start());
  }

  /** Blocks until it is ready. */
  void awaitReady(int limitSeconds) throws IOException, InterruptedException {
    try {
      ready.get(limitSeconds, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw failure("ended before it was ready", e);
    } catch (TimeoutException e) {
      throw failure("was not ready within " + limitSeconds + " s", e);
    }
  }

  /** Blocks until it has ended well; returns what it printed. */
  String awaitEnd(int limitSeconds) throws IOException, InterruptedException {
    if (!process.waitFor(limitSeconds, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw failure("did not end within " + limitSeconds + " s", null);
    }
    if (process.exitValue() != 0) {
      throw failure("exited with " + process.exitValue(), null);
    }
    return output.join();
  }

  /** Tells it to end, and blocks until it has ended well. */
  void end() throws IOException, InterruptedException {
    process.getOutputStream().close();
    awaitEnd(END_LIMIT_S);
  }

  private IOException failure(String what, Exception cause) throws InterruptedException {
    process.destroyForcibly().waitFor();
    String reason = lastWords.join();
    return new IOException(name + " " + what + (reason.isEmpty() ? "" : ": " + reason), cause);
  }

  /** Ends it, whatever it does. */
  @Override
  public void close() {
    process.destroyForcibly();
    running.remove(process);
  }

  private interface Lines {
    void add(String line);

    String text();
  }

  private static final class AllLines implements Lines {
    private final Consumer<String> listener;
    private final List<String> lines = new ArrayList<>();

    AllLines(Consumer<String> listener) {
      this.listener = listener;
    }

    @Override
    public void add(String line) {
      lines.add(line);
      listener.accept(line);
    }

    @Override
    public String text() {
      return String.join("\n", lines);
    }
  }

  private static final class LastLines implements Lines {
    private final ArrayDeque<String> lines = new ArrayDeque<>();

    @Override
    public void add(String line) {
      lines.add(line);
      if (lines.size() > LAST_WORDS) {
        lines.removeFirst();
      }
    }

    @Override
    public String text() {
      return String.join("\n    ", lines);
    }
  }
}
