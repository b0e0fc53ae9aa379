package org.efl.examples.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads one block batch by batch. The last batch may be short; none goes beyond the block. */
public final class BlockReader implements AutoCloseable {
  private final TfRecordReader records;
  private final int width;
  private final boolean labeled;
  private long position;

  BlockReader(Path file, long firstSample, int width, boolean labeled) throws IOException {
    this.width = width;
    this.labeled = labeled;
    records = new TfRecordReader(file);
    try {
      skip(firstSample);
    } catch (IOException | RuntimeException e) {
      records.close();
      throw e;
    }
  }

  private void skip(long samples) throws IOException {
    for (; position < samples; position++) {
      if (records.next().isEmpty()) {
        throw new IOException(
            String.format(
                "%s has %d samples, so it can't be read from sample %d.",
                records.file(), position, samples));
      }
    }
  }

  /**
   * The next samples, as many as there are up to {@code size}; an empty batch at the end.
   *
   * @throws TfRecordException when the file is cut off or corrupt, or a record isn't a sample
   */
  public Batch next(int size) throws IOException {
    List<Sample> samples = new ArrayList<>(size);
    while (samples.size() < size) {
      Optional<Sample> sample = nextSample();
      if (sample.isEmpty()) {
        break;
      }
      samples.add(sample.get());
    }
    position += samples.size();
    return batch(samples);
  }

  private Optional<Sample> nextSample() throws IOException {
    long offset = records.offset();
    Optional<byte[]> record = records.next();
    try {
      return record.map(bytes -> Sample.parse(bytes, width, labeled));
    } catch (IllegalArgumentException e) {
      throw new TfRecordException(records.file(), offset, e.getMessage() + ".", e);
    }
  }

  private Batch batch(List<Sample> samples) {
    int count = samples.size();
    long[] ids = new long[count];
    float[] features = new float[count * width];
    float[] labels = new float[labeled ? count : 0];
    for (int i = 0; i < count; i++) {
      Sample sample = samples.get(i);
      ids[i] = sample.id();
      System.arraycopy(sample.features(), 0, features, i * width, width);
      if (labeled) {
        labels[i] = sample.label().orElseThrow();
      }
    }
    return new Batch(ids, features, labels);
  }

  /** The index in the block of the sample that comes next. */
  public long position() {
    return position;
  }

  @Override
  public void close() throws IOException {
    records.close();
  }
}
