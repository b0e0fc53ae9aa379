package org.efl.tensorflow;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * What a checkpoint's folder has to hold: a line for each file, with its size and CRC32C. A file
 * that was cut off or damaged later is found by it.
 */
final class Manifest {
  static final String NAME = "manifest";
  private static final int BUFFER = 1 << 16;

  private Manifest() {}

  /** Writes down what is in a folder. */
  static void write(Path folder) throws IOException {
    StringBuilder lines = new StringBuilder();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        lines.append(line(file)).append('\n');
      }
    }
    Files.writeString(folder.resolve(NAME), lines.append("end\n"), StandardCharsets.UTF_8);
  }

  /** What is wrong with a folder, "" when it is whole. */
  static String defect(Path folder) {
    try {
      List<String> lines = new ArrayList<>(Files.readAllLines(folder.resolve(NAME)));
      if (lines.isEmpty() || !lines.remove(lines.size() - 1).equals("end")) {
        return NAME + " is cut off";
      }
      for (String line : lines) {
        Path file = folder.resolve(line.substring(line.lastIndexOf('/') + 1));
        if (!Files.isRegularFile(file)) {
          return file.getFileName() + " is missing";
        }
        String now = line(file);
        if (!now.equals(line)) {
          return "'" + now + "' instead of '" + line + "'";
        }
      }
      return "";
    } catch (IOException | RuntimeException e) {
      return e.toString();
    }
  }

  /** A name never holds the separator: "CRC32C SIZE /NAME". */
  private static String line(Path file) throws IOException {
    return String.format(
        Locale.ROOT, "%08x %d /%s", crc32c(file), Files.size(file), file.getFileName());
  }

  private static long crc32c(Path file) throws IOException {
    CRC32C crc = new CRC32C();
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = Files.newInputStream(file)) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        crc.update(buffer, 0, read);
      }
    }
    return crc.getValue();
  }
}
