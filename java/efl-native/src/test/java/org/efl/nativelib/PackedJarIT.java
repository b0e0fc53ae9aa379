package org.efl.nativelib;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The jar as it is shipped, in a JVM of its own that has nothing else. */
@Timeout(120)
class PackedJarIT {
  private static final Path JAR = Path.of(System.getProperty("efl.packed.jar"));

  @TempDir Path folder;

  @Test
  void shouldLoadTheKernelFromTheJarsAlone() throws Exception {
    Outcome outcome = runProbe(JAR);

    assertEquals(0, outcome.exit, outcome.output);
    assertTrue(outcome.output.contains("version: "), outcome.output);
    assertTrue(outcome.output.contains("from: " + folder.resolve("cache")), outcome.output);
    assertFalse(outcome.output.contains("WARNING"), outcome.output);
  }

  @Test
  void shouldUnpackEveryLibraryIntoOneFolder() throws Exception {
    List<String> packed = librariesOf(JAR);
    runProbe(JAR);

    try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
      List<Path> unpacked = files.filter(file -> file.toString().contains(".so")).toList();
      assertEquals(
          packed, unpacked.stream().map(f -> f.getFileName().toString()).sorted().toList());
      assertEquals(1, unpacked.stream().map(Path::getParent).distinct().count());
    }
  }

  @Test
  void shouldUseNoLibraryOfTheSystemThatTheJarCarries() throws Exception {
    Outcome outcome = runProbe(JAR);

    for (String library : librariesOf(JAR)) {
      List<String> elsewhere =
          outcome
              .output
              .lines()
              .filter(line -> line.startsWith("from: ") && line.contains("/" + library))
              .filter(line -> !line.startsWith("from: " + folder.resolve("cache")))
              .toList();
      assertEquals(List.of(), elsewhere);
    }
  }

  @Test
  void shouldNamePlatformAndLibraryWhenTheJarHasNone() throws Exception {
    Path bare = withoutLibraries(JAR, folder.resolve("bare.jar"));

    Outcome outcome = runProbe(bare);

    assertEquals(1, outcome.exit, outcome.output);
    assertTrue(outcome.output.contains("UnsatisfiedLinkError"), outcome.output);
    assertTrue(outcome.output.contains("libefl.so"), outcome.output);
    assertTrue(outcome.output.contains(Loader.getPlatform()), outcome.output);
  }

  private record Outcome(int exit, String output) {}

  private Outcome runProbe(Path jar) throws IOException, InterruptedException {
    Path probe = folder.resolve("LoadProbe.java");
    Files.writeString(
        probe,
        """
        import org.efl.nativelib.*;
        public class LoadProbe {
          public static void main(String[] args) throws Exception {
            Natives.load();
            Natives.load();
            System.out.println("version: " + Efl.efl_version().getString());
            for (String line : java.nio.file.Files.readAllLines(java.nio.file.Path.of("/proc/self/maps"))) {
              if (line.contains(".so")) {
                System.out.println("from: " + line.substring(line.indexOf('/')));
              }
            }
          }
        }
        """);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xcheck:jni");
    command.add("-Djava.library.path=");
    command.add("-Dorg.bytedeco.javacpp.cachedir=" + folder.resolve("cache"));
    command.add("-cp");
    command.add(jar + File.pathSeparator + javacppJar());
    command.add(probe.toString());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), output);
      return new Outcome(process.exitValue(), output);
    } finally {
      process.destroyForcibly();
    }
  }

  private static String javacppJar() {
    return Path.of(Loader.class.getProtectionDomain().getCodeSource().getLocation().getPath())
        .toString();
  }

  private static List<String> librariesOf(Path jar) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      return zip.stream()
          .map(ZipEntry::getName)
          .filter(name -> name.contains(".so"))
          .map(name -> name.substring(name.lastIndexOf('/') + 1))
          .sorted()
          .toList();
    }
  }

  private static Path withoutLibraries(Path jar, Path bare) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile());
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(bare))) {
      for (ZipEntry entry : zip.stream().filter(e -> !e.getName().contains(".so")).toList()) {
        out.putNextEntry(new ZipEntry(entry.getName()));
        zip.getInputStream(entry).transferTo(out);
      }
    }
    return bare;
  }
}
