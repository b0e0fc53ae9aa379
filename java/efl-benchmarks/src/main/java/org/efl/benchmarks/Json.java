package org.efl.benchmarks;

import java.nio.file.Path;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Reads and writes JSON. */
public final class Json {
  private static final JsonMapper LINES = JsonMapper.builder().build();
  private static final JsonMapper FILES =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private Json() {}

  public static String line(Object value) {
    return LINES.writeValueAsString(value);
  }

  public static JsonNode parse(String text) {
    return LINES.readTree(text);
  }

  public static void write(Path file, Object value) {
    FILES.writeValue(file.toFile(), value);
  }
}
