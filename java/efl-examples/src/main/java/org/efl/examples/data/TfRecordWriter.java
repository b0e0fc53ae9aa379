package org.efl.examples.data;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes a TFRecord file. Each record, in little-endian order: its length (uint64), the masked
 * CRC-32C of the length (uint32), its bytes, the masked CRC-32C of the bytes (uint32).
 */
public final class TfRecordWriter implements AutoCloseable {
  static final int LENGTH_BYTES = Long.BYTES;
  static final int CRC_BYTES = Integer.BYTES;

  private final OutputStream out;
  private final ByteBuffer field = ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  /** Creates the file, or replaces it. */
  public TfRecordWriter(Path file) throws IOException {
    out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
  }

  /** Appends a record. */
  public void write(byte[] record) throws IOException {
    field.clear().putLong(record.length);
    out.write(field.array(), 0, LENGTH_BYTES);
    writeCrc(MaskedCrc.of(field.array(), 0, LENGTH_BYTES));
    out.write(record);
    writeCrc(MaskedCrc.of(record, 0, record.length));
  }

  private void writeCrc(int crc) throws IOException {
    field.clear().putInt(crc);
    out.write(field.array(), 0, CRC_BYTES);
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
