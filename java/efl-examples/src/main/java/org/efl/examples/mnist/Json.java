package org.efl.examples.mnist;

import java.nio.file.Path;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Records as JSON files, names in snake case. */
final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();
  private static final ObjectWriter WRITER = MAPPER.writer();

  private Json() {}

  static void write(Path file, Object value) {
    WRITER.writeValue(file.toFile(), value);
  }

  static <T> T read(Path file, Class<T> type) {
    return MAPPER.readValue(file.toFile(), type);
  }
}
