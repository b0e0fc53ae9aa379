package org.efl.communicator;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** A JVM of its own with the class path of these tests. */
final class ChildJvm {
  /** How it ended, and what it printed on either stream. */
  record Outcome(int exit, String output) {}

  /** What -Xcheck:jni says, which changes no exit code. */
  private static final Pattern JNI_WARNING =
      Pattern.compile("WARNING in native method|JNI local refs|FATAL ERROR in native method");

  private ChildJvm() {}

  static Outcome run(
      Class<?> main, Map<String, String> environment, int limitSeconds, String... arguments)
      throws IOException, InterruptedException {
    Path output = Files.createTempFile("efl-child", ".txt");
    ProcessBuilder builder =
        prepare(main, arguments).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      if (!process.waitFor(limitSeconds, TimeUnit.SECONDS)) {
        throw new AssertionError(
            main + " did not end within " + limitSeconds + " s: " + Files.readString(output));
      }
      Outcome outcome =
          new Outcome(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
      if (JNI_WARNING.matcher(outcome.output).find()) {
        throw new AssertionError(outcome.output);
      }
      return outcome;
    } finally {
      process.destroyForcibly();
      Files.delete(output);
    }
  }

  /** Such a JVM, not yet started, with nothing of ours in its environment. */
  static ProcessBuilder prepare(Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xcheck:jni");
    command.add(
        "-Dorg.bytedeco.javacpp.cachedir="
            + System.getProperty("org.bytedeco.javacpp.cachedir", ""));
    command.add("-Xmx128m");
    // What the collector hasn't got to yet, of buffers that nobody has any more.
    command.add("-XX:MaxDirectMemorySize=32m");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.startsWith("EFL_"));
    return builder;
  }
}
