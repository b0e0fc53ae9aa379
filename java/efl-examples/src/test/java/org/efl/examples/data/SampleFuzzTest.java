package org.efl.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Any bytes as the records of a block: samples, or a {@link TfRecordException} that says where. */
class SampleFuzzTest {
  private static final int BATCH = 2;

  private final Path file = FuzzFiles.create("block.tfrd");
  private final Path copy = FuzzFiles.create("copy.tfrd");

  @FuzzTest
  void shouldTakeAnyRecords(byte[] input) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(input);
    int how = FuzzFiles.unsignedByte(in);
    boolean labeled = how % 2 == 1;
    int width = how / 2 % 4;
    int first = how / 8 % 4;
    List<byte[]> records = records(in);
    FuzzFiles.write(file, records);
    List<Batch> batches = new ArrayList<>();
    try (BlockReader block = new BlockReader(file, first, width, labeled)) {
      readInto(batches, block);
      assertEquals(records.size(), block.position());
    } catch (TfRecordException e) {
      assertTrue(e.offset() >= 0 && e.offset() < Files.size(file), e.getMessage());
      assertTrue(e.getMessage().startsWith(file + " at byte " + e.offset() + ": "), e.getMessage());
    } catch (IOException e) {
      assertTrue(records.size() < first, e.getMessage());
      assertTrue(e.getMessage().startsWith(file + " has " + records.size()), e.getMessage());
    }
    checkSame(batches, width, labeled);
  }

  private static void readInto(List<Batch> batches, BlockReader block) throws IOException {
    for (Batch batch = block.next(BATCH); batch.size() > 0; batch = block.next(BATCH)) {
      batches.add(batch);
    }
  }

  /** What was read is written, and read the same again. */
  private void checkSame(List<Batch> batches, int width, boolean labeled) throws IOException {
    List<byte[]> records = new ArrayList<>();
    for (Batch batch : batches) {
      for (int i = 0; i < batch.size(); i++) {
        float[] features = Arrays.copyOfRange(batch.features(), i * width, (i + 1) * width);
        Optional<Float> label = labeled ? Optional.of(batch.labels()[i]) : Optional.empty();
        records.add(new Sample(batch.ids()[i], features, label).toBytes());
      }
    }
    FuzzFiles.write(copy, records);
    List<Batch> again = new ArrayList<>();
    try (BlockReader block = new BlockReader(copy, 0, width, labeled)) {
      readInto(again, block);
    }
    assertEquals(batches.size(), again.size());
    for (int i = 0; i < again.size(); i++) {
      assertArrayEquals(batches.get(i).ids(), again.get(i).ids());
      assertArrayEquals(batches.get(i).features(), again.get(i).features());
      assertArrayEquals(batches.get(i).labels(), again.get(i).labels());
    }
  }

  private static List<byte[]> records(ByteBuffer in) {
    List<byte[]> records = new ArrayList<>();
    while (in.hasRemaining()) {
      records.add(FuzzFiles.bytes(in, FuzzFiles.unsignedByte(in)));
    }
    return records;
  }
}
