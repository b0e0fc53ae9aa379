package org.efl.examples.data;

import java.util.zip.CRC32C;

/**
 * The checksum of TFRecord files: CRC-32C, rotated right by 15 bits plus a constant, so that the
 * checksum of data that hold checksums stays a good one.
 */
final class MaskedCrc {
  private static final int DELTA = 0xa282ead8;

  private MaskedCrc() {}

  static int of(byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, length);
    return Integer.rotateRight((int) crc.getValue(), 15) + DELTA;
  }
}
