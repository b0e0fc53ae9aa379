package org.efl.examples.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TfRecordTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("records.tfrd");
  }

  private void write(byte[]... records) throws IOException {
    try (TfRecordWriter writer = new TfRecordWriter(file)) {
      for (byte[] record : records) {
        writer.write(record);
      }
    }
  }

  private List<byte[]> read() throws IOException {
    List<byte[]> records = new ArrayList<>();
    try (TfRecordReader reader = new TfRecordReader(file)) {
      for (Optional<byte[]> next = reader.next(); next.isPresent(); next = reader.next()) {
        records.add(next.get());
      }
    }
    return records;
  }

  @Test
  void shouldReadWhatWasWritten() throws IOException {
    byte[] large = new byte[300_000];
    new Random(7).nextBytes(large);
    write(new byte[0], "abc".getBytes(UTF_8), large);
    List<byte[]> records = read();
    assertEquals(3, records.size());
    assertArrayEquals(new byte[0], records.get(0));
    assertArrayEquals("abc".getBytes(UTF_8), records.get(1));
    assertArrayEquals(large, records.get(2));
  }

  @Test
  void shouldReadAnEmptyFile() throws IOException {
    write();
    assertTrue(read().isEmpty());
  }

  @Test
  void shouldWriteTheBytesOfTheFormat() throws IOException {
    write("abc".getBytes(UTF_8));
    assertEquals(
        "0300000000000000b099490e6162636e57f121",
        HexFormat.of().formatHex(Files.readAllBytes(file)));
  }

  @Test
  void shouldNameFileAndOffsetWhereverTheFileIsCutOff() throws IOException {
    write("first".getBytes(UTF_8), "second".getBytes(UTF_8));
    byte[] whole = Files.readAllBytes(file);
    int second = 12 + 5 + 4;
    for (int length = 1; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      if (length == second) {
        assertEquals(1, read().size());
        continue;
      }
      TfRecordException e = assertThrows(TfRecordException.class, this::read, "at " + length);
      assertEquals(length < second ? 0 : second, e.offset());
      assertEquals(file.toString(), e.file());
      assertTrue(e.getMessage().startsWith(file + " at byte " + e.offset() + ": cut off"));
    }
  }

  @Test
  void shouldNoticeEveryWrongByte() throws IOException {
    write("first".getBytes(UTF_8), "second".getBytes(UTF_8));
    byte[] bytes = Files.readAllBytes(file);
    int second = 12 + 5 + 4;
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] ^= 0x10;
      Files.write(file, bytes);
      TfRecordException e = assertThrows(TfRecordException.class, this::read, "byte " + i);
      assertEquals(i < second ? 0 : second, e.offset());
      bytes[i] ^= 0x10;
    }
  }

  @Test
  void shouldNotTrustALengthWithARightChecksum() throws IOException {
    byte[] header = new byte[12];
    ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    for (long length : new long[] {1, 1L << 40, -1, Long.MIN_VALUE}) {
      fields.clear().putLong(length);
      fields.putInt(MaskedCrc.of(header, 0, 8));
      Files.write(file, header);
      TfRecordException e = assertThrows(TfRecordException.class, this::read);
      assertEquals(0, e.offset());
    }
  }
}
