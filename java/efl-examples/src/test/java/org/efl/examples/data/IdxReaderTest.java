package org.efl.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxReaderTest {
  private static final byte[] PIXELS = {0, 51, 102, (byte) 153, (byte) 204, (byte) 255, 0, 0};

  @TempDir Path folder;

  private static byte[] idx(int magic, byte[] elements, int... dims) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * dims.length + elements.length).putInt(magic);
    for (int dim : dims) {
      bytes.putInt(dim);
    }
    return bytes.put(elements).array();
  }

  private static byte[] images() {
    return idx(0x803, PIXELS, 2, 2, 2);
  }

  private static byte[] labels() {
    return idx(0x801, new byte[] {7, 3}, 2);
  }

  private static byte[] zipped(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream zip = new GZIPOutputStream(out)) {
      zip.write(bytes);
    }
    return out.toByteArray();
  }

  private void write(byte[] images, byte[] labels) throws IOException {
    Files.write(folder.resolve("images-idx3-ubyte"), images);
    Files.write(folder.resolve("labels-idx1-ubyte"), labels);
  }

  private void assertRefused(byte[] images, byte[] labels, String file, String reason)
      throws IOException {
    write(images, labels);
    IOException e = assertThrows(IOException.class, () -> IdxReader.read(folder));
    assertTrue(e.getMessage().contains(folder.resolve(file).toString()), e.getMessage());
    assertTrue(e.getMessage().contains(reason), e.getMessage());
  }

  private static void assertRead(LabeledImages read) {
    assertEquals(2, read.count());
    assertEquals(2, read.rows());
    assertEquals(2, read.columns());
    assertEquals(7, read.label(0));
    assertEquals(3, read.label(1));
    assertArrayEquals(new float[] {0, 0.2f, 0.4f, 0.6f}, read.strip(0, 0, 2), 1e-6f);
    assertArrayEquals(new float[] {1, 0}, read.strip(1, 1, 2), 1e-6f);
  }

  @Test
  void shouldReadPlainFiles() throws IOException {
    write(images(), labels());
    assertRead(IdxReader.read(folder));
  }

  @Test
  void shouldReadZippedFilesUnderEitherName() throws IOException {
    Files.write(folder.resolve("t10k-images-idx3-ubyte.gz"), zipped(images()));
    Files.write(folder.resolve("t10k-labels-idx1-ubyte"), zipped(labels()));
    assertRead(IdxReader.read(folder));
  }

  @Test
  void shouldSayWhichFileIsMissing() throws IOException {
    Files.write(folder.resolve("images-idx3-ubyte"), images());
    IOException e = assertThrows(IOException.class, () -> IdxReader.read(folder));
    assertEquals("No labels-idx1-ubyte[.gz] in " + folder + ".", e.getMessage());
  }

  @Test
  void shouldRefuseAnotherFormat() throws IOException {
    assertRefused(labels(), labels(), "images-idx3-ubyte", "not an IDX file");
    assertRefused(idx(0xd03, PIXELS, 2, 2, 2), labels(), "images-idx3-ubyte", "0x00000d03");
  }

  @Test
  void shouldRefuseWhatIsCutOff() throws IOException {
    for (int length : new int[] {0, 3, 9, 15}) {
      assertRefused(Arrays.copyOf(images(), length), labels(), "images-idx3-ubyte", "cut off");
    }
    assertRefused(
        Arrays.copyOf(images(), 20), labels(), "images-idx3-ubyte", "cut off after 4 of 8");
    byte[] zipped = zipped(images());
    assertRefused(
        Arrays.copyOf(zipped, zipped.length - 12), labels(), "images-idx3-ubyte", "cut off");
  }

  @Test
  void shouldRefuseWhatCannotBeUnzipped() throws IOException {
    byte[] noMethod = zipped(images());
    noMethod[2] = 7;
    assertRefused(noMethod, labels(), "images-idx3-ubyte", "begins like gzip, but isn't");
    byte[] noBlock = zipped(labels());
    Arrays.fill(noBlock, 10, noBlock.length, (byte) 0xff);
    assertRefused(images(), noBlock, "labels-idx1-ubyte", "begins like gzip, but isn't");
  }

  @Test
  void shouldRefuseMoreThanTheHeaderSays() throws IOException {
    assertRefused(images(), idx(0x801, new byte[] {7, 3, 1}, 2), "labels-idx1-ubyte", "follow");
  }

  @Test
  void shouldRefuseDimensionsThatCannotBe() throws IOException {
    assertRefused(idx(0x803, PIXELS, 2, 0, 2), labels(), "images-idx3-ubyte", "dimension 1");
    assertRefused(idx(0x803, PIXELS, -2, 2, 2), labels(), "images-idx3-ubyte", "dimension 0");
    assertRefused(
        idx(0x803, PIXELS, 1 << 30, 1 << 30, 1 << 30), labels(), "images-idx3-ubyte", "dimension");
  }

  @Test
  void shouldRefuseLabelsThatDoNotFit() throws IOException {
    assertRefused(images(), idx(0x801, new byte[] {7, 3, 1}, 3), "labels-idx1-ubyte", "3 labels");
    assertRefused(images(), idx(0x801, new byte[] {7, 10}, 2), "labels-idx1-ubyte", "label 10");
    assertRefused(images(), idx(0x801, new byte[] {7, -1}, 2), "labels-idx1-ubyte", "label 255");
  }
}
