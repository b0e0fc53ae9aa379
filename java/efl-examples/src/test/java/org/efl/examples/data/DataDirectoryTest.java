package org.efl.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
  @TempDir Path folder;
  private Path root;
  private DataDirectory data;

  @BeforeEach
  void writeBlocks() throws IOException {
    root = folder.resolve("mine");
    data = new DataDirectory(root, 2, true);
    write(root.resolve("b.tfrd"), 5);
    write(root.resolve("deeper/a.tfrd"), 1);
    write(folder.resolve("other.tfrd"), 1);
    Files.writeString(root.resolve("notes.txt"), "no block");
  }

  private static void write(Path file, int samples) throws IOException {
    Files.createDirectories(file.getParent());
    try (TfRecordWriter writer = new TfRecordWriter(file)) {
      for (int i = 0; i < samples; i++) {
        writer.write(new Sample(100 + i, new float[] {i, -i}, Optional.of(0.5f * i)).toBytes());
      }
    }
  }

  @Test
  void shouldNameBlocksByTheirPathInOrder() throws IOException {
    assertEquals(List.of("b.tfrd", "deeper/a.tfrd"), data.blocks());
  }

  @Test
  void shouldReadInBatchesOfWhichTheLastIsShort() throws IOException {
    try (BlockReader reader = data.open("b.tfrd", 0)) {
      assertArrayEquals(new long[] {100, 101, 102}, reader.next(3).ids());
      assertEquals(3, reader.position());
      Batch last = reader.next(3);
      assertArrayEquals(new long[] {103, 104}, last.ids());
      assertArrayEquals(new float[] {3, -3, 4, -4}, last.features());
      assertArrayEquals(new float[] {1.5f, 2}, last.labels());
      assertEquals(5, reader.position());
      assertEquals(0, reader.next(3).size());
    }
  }

  @Test
  void shouldBeginInTheMiddle() throws IOException {
    try (BlockReader reader = data.open("b.tfrd", 4)) {
      assertArrayEquals(new long[] {104}, reader.next(3).ids());
    }
    try (BlockReader reader = data.open("b.tfrd", 5)) {
      assertEquals(0, reader.next(3).size());
    }
  }

  @Test
  void shouldRefuseAPositionBeyondTheEnd() {
    IOException e = assertThrows(IOException.class, () -> data.open("b.tfrd", 6));
    assertTrue(e.getMessage().contains("has 5 samples"), e.getMessage());
    assertThrows(IOException.class, () -> data.open("b.tfrd", -1));
  }

  @Test
  void shouldNotFollowAPeersTextOutOfTheDirectory() throws IOException {
    Path outside = folder.resolve("other.tfrd");
    assertTrue(Files.exists(outside));
    for (String block :
        List.of("../other.tfrd", outside.toString(), "", "notes.txt", "x/../../other.tfrd", "\0")) {
      IOException e = assertThrows(IOException.class, () -> data.open(block, 0), block);
      assertTrue(e.getMessage().contains("is not a block"), e.getMessage());
    }
    IOException e = assertThrows(IOException.class, () -> data.open("none.tfrd", 0));
    assertTrue(e.getMessage().contains("no block 'none.tfrd'"), e.getMessage());
  }

  @Test
  void shouldNameFileAndOffsetOfARecordThatIsNoSample() throws IOException {
    Path file = root.resolve("c.tfrd");
    try (TfRecordWriter writer = new TfRecordWriter(file)) {
      writer.write(new Sample(1, new float[] {1, 2}, Optional.of(0f)).toBytes());
      writer.write(new byte[] {(byte) 0xff});
    }
    long offset = Files.size(file) - 1 - 16;
    TfRecordException e = assertThrows(TfRecordException.class, () -> readAll("c.tfrd"));
    assertEquals(offset, e.offset());
    assertTrue(e.getMessage().endsWith("not a tf.train.Example."), e.getMessage());
  }

  @Test
  void shouldSayWhichFeatureIsMissing() throws IOException {
    try (TfRecordWriter writer = new TfRecordWriter(root.resolve("c.tfrd"))) {
      writer.write(new Sample(1, new float[] {1, 2}, Optional.empty()).toBytes());
    }
    TfRecordException e = assertThrows(TfRecordException.class, () -> readAll("c.tfrd"));
    assertTrue(e.getMessage().contains("'label' has 0 values"), e.getMessage());
  }

  private void readAll(String block) throws IOException {
    try (BlockReader reader = data.open(block, 0)) {
      assertEquals(0, reader.next(100).size());
    }
  }

  @Test
  void shouldRefuseADirectoryWithoutBlocks() throws IOException {
    Path empty = Files.createDirectories(folder.resolve("empty"));
    IOException e =
        assertThrows(IOException.class, () -> new DataDirectory(empty, 2, true).blocks());
    assertEquals("No *.tfrd files in " + empty + ".", e.getMessage());
  }

  @Test
  void shouldRefuseADirectoryThatIsNotThere() {
    Path none = folder.resolve("none");
    IOException e =
        assertThrows(IOException.class, () -> new DataDirectory(none, 2, true).blocks());
    assertEquals("There is no directory " + none + ".", e.getMessage());
  }
}
