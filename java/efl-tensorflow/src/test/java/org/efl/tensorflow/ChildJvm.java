package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A main class of the tests in a process of its own. */
final class ChildJvm {
  /** A heap that is all there from the start, so that only native memory can grow. */
  private static final List<String> FIXED_HEAP =
      List.of("-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch");

  /** An allocator that keeps no large block for the next time, now more, now fewer. */
  private static final Map<String, String> GIVES_BACK =
      Map.of("MALLOC_MMAP_THRESHOLD_", "131072", "MALLOC_TRIM_THRESHOLD_", "131072");

  private ChildJvm() {}

  static Process start(Class<?> main, List<String> jvmOptions, Object... arguments)
      throws IOException {
    return prepare(main, jvmOptions, arguments).inheritIO().start();
  }

  /** It has to end with 0; what it printed says why it didn't. */
  static void runWithFixedHeap(Class<?> main, int limitSeconds)
      throws IOException, InterruptedException {
    Path output = Files.createTempFile("efl-child", ".txt");
    ProcessBuilder builder = prepare(main, FIXED_HEAP);
    builder.environment().putAll(GIVES_BACK);
    Process child = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    try {
      boolean ended = child.waitFor(limitSeconds, TimeUnit.SECONDS);
      String printed = Files.readString(output);
      assertTrue(ended, () -> "not ended after " + limitSeconds + " s; printed:\n" + printed);
      assertEquals(0, child.exitValue(), () -> "printed:\n" + printed);
    } finally {
      child.destroyForcibly();
      Files.delete(output);
    }
  }

  private static ProcessBuilder prepare(
      Class<?> main, List<String> jvmOptions, Object... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xcheck:jni");
    command.add(
        "-Dorg.bytedeco.javacpp.cachedir="
            + System.getProperty("org.bytedeco.javacpp.cachedir", ""));
    command.addAll(jvmOptions);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return new ProcessBuilder(command);
  }
}
