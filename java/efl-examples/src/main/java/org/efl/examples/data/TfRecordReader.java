package org.efl.examples.data;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Reads a TFRecord file from its start, checking every checksum. The format is in {@link
 * TfRecordWriter}.
 */
public final class TfRecordReader implements AutoCloseable {
  private static final int HEADER_BYTES = TfRecordWriter.LENGTH_BYTES + TfRecordWriter.CRC_BYTES;

  private final Path file;
  private final long size;
  private final InputStream in;
  private long offset;

  /** Opens a file. */
  public TfRecordReader(Path file) throws IOException {
    this.file = file;
    size = Files.size(file);
    in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
  }

  /**
   * The next record; empty at the end of the file.
   *
   * @throws TfRecordException when the file is cut off or a checksum is wrong
   */
  public Optional<byte[]> next() throws IOException {
    if (offset == size) {
      return Optional.empty();
    }
    int length = readLength();
    byte[] record = readFully(length, "a record of " + length + " bytes");
    byte[] crc = readFully(TfRecordWriter.CRC_BYTES, "the checksum of a record");
    check(MaskedCrc.of(record, 0, length) == littleEndian(crc).getInt(), "record");
    offset += HEADER_BYTES + (long) length + TfRecordWriter.CRC_BYTES;
    return Optional.of(record);
  }

  private int readLength() throws IOException {
    byte[] header = readFully(HEADER_BYTES, "the header of a record");
    ByteBuffer fields = littleEndian(header);
    long length = fields.getLong();
    check(MaskedCrc.of(header, 0, TfRecordWriter.LENGTH_BYTES) == fields.getInt(), "length");
    long room = size - offset - HEADER_BYTES - TfRecordWriter.CRC_BYTES;
    if (length < 0 || length > room) {
      throw new TfRecordException(
          file, offset, "cut off: a record of " + length + " bytes begins here.");
    }
    if (length > Integer.MAX_VALUE - 8) {
      throw new TfRecordException(
          file, offset, "a record of " + length + " bytes is more than an array can hold.");
    }
    return (int) length;
  }

  private byte[] readFully(int length, String what) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new TfRecordException(file, offset, "cut off in " + what + ".");
    }
    return bytes;
  }

  private void check(boolean matches, String what) throws TfRecordException {
    if (!matches) {
      throw new TfRecordException(
          file, offset, "corrupt: the checksum of the " + what + " is wrong.");
    }
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Where the next record begins, in bytes from the start of the file. */
  public long offset() {
    return offset;
  }

  /** The file, as it was opened. */
  public Path file() {
    return file;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
