package org.efl.examples.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/** Any bytes as images and labels of MNIST: read, or an exception that names the file. */
class IdxFuzzTest {
  private final Path images = FuzzFiles.create("images-idx3-ubyte");
  private final Path labels = images.resolveSibling("labels-idx1-ubyte");

  IdxFuzzTest() {
    labels.toFile().deleteOnExit();
  }

  @FuzzTest
  void shouldTakeAnyFiles(byte[] input) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(input);
    int how = FuzzFiles.unsignedByte(in);
    int labelsLength = FuzzFiles.unsignedByte(in);
    Files.write(labels, maybeZipped(FuzzFiles.bytes(in, labelsLength), how % 2 == 1));
    Files.write(images, maybeZipped(FuzzFiles.bytes(in, in.remaining()), how / 2 % 2 == 1));
    LabeledImages read;
    try {
      read = IdxReader.read(images.getParent());
    } catch (IOException e) {
      assertTrue(
          e.getMessage().startsWith(images.toString())
              || e.getMessage().startsWith(labels.toString()),
          e::toString);
      return;
    }
    for (int i = 0; i < read.count(); i++) {
      assertTrue(read.label(i) >= 0 && read.label(i) <= 9);
      assertEquals(read.rows() * read.columns(), read.strip(i, 0, read.columns()).length);
    }
  }

  private static byte[] maybeZipped(byte[] bytes, boolean zip) throws IOException {
    if (!zip) {
      return bytes;
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream zipped = new GZIPOutputStream(out)) {
      zipped.write(bytes);
    }
    return out.toByteArray();
  }
}
