package org.efl.examples.data;

import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Any text as the block that the peer says it reads: one of the directory's, or an exception. */
class BlockIdFuzzTest {
  private static final int INSIDE = 1;
  private static final int OUTSIDE = 2;

  private final Path folder = FuzzFiles.folder();
  private final Path directory = folder.resolve("data");

  BlockIdFuzzTest() throws IOException {
    write(directory.resolve("a.tfrd"), INSIDE);
    write(directory.resolve("b/b.tfrd"), INSIDE);
    write(folder.resolve("c.tfrd"), OUTSIDE);
    write(folder.resolve("data2/a.tfrd"), OUTSIDE);
  }

  private static void write(Path file, long id) throws IOException {
    Files.createDirectories(file.getParent());
    try (TfRecordWriter writer = new TfRecordWriter(file)) {
      writer.write(new Sample(id, new float[1], Optional.empty()).toBytes());
    }
    file.getParent().toFile().deleteOnExit();
    file.toFile().deleteOnExit();
  }

  @FuzzTest
  void shouldStayInTheDirectory(byte[] input) {
    ByteBuffer in = ByteBuffer.wrap(input);
    int how = FuzzFiles.unsignedByte(in);
    // In UTF-16 also half a character can be said.
    String id = new String(FuzzFiles.bytes(in, in.remaining()), how % 2 == 0 ? UTF_8 : UTF_16BE);
    // As a peer would that knows where the files lie.
    id = how % 4 < 2 ? id : folder + "/" + id;
    DataDirectory blocks = new DataDirectory(directory, 1, false);
    try (BlockReader block = blocks.open(id, how / 4 % 2)) {
      Batch batch = block.next(2);
      assertEquals(1 - how / 4 % 2, batch.size());
      if (batch.size() > 0) {
        assertEquals(INSIDE, batch.ids()[0]);
      }
    } catch (IOException e) {
      assertTrue(
          e.getMessage().contains("'" + id + "'") && e.getMessage().contains(directory.toString()),
          e::toString);
    }
  }
}
