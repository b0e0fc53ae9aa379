package org.efl.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Any bytes as a TFRecord file: read up to where something is wrong, which a {@link
 * TfRecordException} says.
 */
class TfRecordFuzzTest {
  /** In place of a record's length: a header alone that announces the eight bytes that follow. */
  private static final int HEADER_ALONE = 0xff;

  private final Path file = FuzzFiles.create("records.tfrd");
  private final Path copy = FuzzFiles.create("copy.tfrd");

  @FuzzTest
  void shouldTakeAnyFile(byte[] input) throws IOException {
    byte[] bytes = fileOf(input);
    Files.write(file, bytes);
    List<byte[]> records = new ArrayList<>();
    long end = readInto(records, bytes.length);
    FuzzFiles.write(copy, records);
    assertArrayEquals(Arrays.copyOf(bytes, (int) end), Files.readAllBytes(copy));
  }

  /** Returns up to where the file could be read. */
  private long readInto(List<byte[]> records, long size) throws IOException {
    try (TfRecordReader reader = new TfRecordReader(file)) {
      for (Optional<byte[]> next = reader.next(); next.isPresent(); next = reader.next()) {
        records.add(next.get());
      }
      assertEquals(size, reader.offset());
      return size;
    } catch (TfRecordException e) {
      assertEquals(file.toString(), e.file());
      assertTrue(e.offset() >= 0 && e.offset() < size, e.getMessage());
      assertTrue(e.getMessage().startsWith(file + " at byte " + e.offset() + ": "), e.getMessage());
      return e.offset();
    }
  }

  /**
   * The file: the input as it is, or, because no fuzzer guesses checksums, what the input says as
   * records with the right ones, cut off somewhere or not.
   */
  private static byte[] fileOf(byte[] input) {
    ByteBuffer in = ByteBuffer.wrap(input);
    int how = FuzzFiles.unsignedByte(in);
    if (how % 2 == 0) {
      return FuzzFiles.bytes(in, in.remaining());
    }
    int cut = how % 4 == 3 ? FuzzFiles.unsignedByte(in) : 0;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    while (in.hasRemaining()) {
      int length = FuzzFiles.unsignedByte(in);
      if (length == HEADER_ALONE) {
        out.writeBytes(withCrc(Arrays.copyOf(FuzzFiles.bytes(in, Long.BYTES), Long.BYTES)));
        continue;
      }
      byte[] record = FuzzFiles.bytes(in, length);
      ByteBuffer field = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      out.writeBytes(withCrc(field.putLong(record.length).array()));
      out.writeBytes(withCrc(record));
    }
    return Arrays.copyOf(out.toByteArray(), Math.max(0, out.size() - cut));
  }

  private static byte[] withCrc(byte[] bytes) {
    return ByteBuffer.allocate(bytes.length + Integer.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(bytes)
        .putInt(MaskedCrc.of(bytes, 0, bytes.length))
        .array();
  }
}
