package org.efl.examples.data;

import java.io.IOException;
import java.nio.file.Path;

/** A TFRecord file that is cut off or corrupt. The message names the file and the offset. */
public final class TfRecordException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String file;
  private final long offset;

  TfRecordException(Path file, long offset, String reason) {
    this(file, offset, reason, null);
  }

  TfRecordException(Path file, long offset, String reason, Throwable cause) {
    super(file + " at byte " + offset + ": " + reason, cause);
    this.file = file.toString();
    this.offset = offset;
  }

  /** The file, as it was opened. */
  public String file() {
    return file;
  }

  /** Where the record begins that can't be read, in bytes from the start of the file. */
  public long offset() {
    return offset;
  }
}
