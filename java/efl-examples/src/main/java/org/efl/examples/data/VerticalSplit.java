package org.efl.examples.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Splits labeled images between two parties: the leader gets the left half of the columns and the
 * labels, the follower the right half. Below the target directory there are then
 *
 * <pre>
 *   leader_train/data_0.tfrd … data_9.tfrd     follower_train/data_0.tfrd … data_9.tfrd
 *   leader_test/data_0.tfrd … data_9.tfrd      follower_test/data_0.tfrd … data_9.tfrd
 * </pre>
 *
 * with the same samples in the same order in files of the same name. The sample id alone decides
 * where a sample goes, so two parties that split on their own arrive at the same files.
 */
public final class VerticalSplit {
  /** Every so-many-th sample is for testing. */
  static final int TEST_EVERY = 5;

  private static final int MOST_FILES = 10;

  private VerticalSplit() {}

  /** Whether a sample is for testing rather than for training. */
  public static boolean isTest(long sampleId) {
    return sampleId % TEST_EVERY == TEST_EVERY - 1;
  }

  /**
   * Writes the files, at most ten for each party and purpose.
   *
   * @param files how many files, 1 to 10
   */
  public static void write(LabeledImages images, Path target, int files) throws IOException {
    if (files < 1 || files > MOST_FILES) {
      throw new IllegalArgumentException("files must be 1 to " + MOST_FILES + ": " + files);
    }
    for (boolean test : new boolean[] {false, true}) {
      int[] ids = IntStream.range(0, images.count()).filter(id -> isTest(id) == test).toArray();
      if (ids.length < files) {
        throw new IOException(images.count() + " images are too few for " + files + " files.");
      }
      for (boolean leader : new boolean[] {true, false}) {
        Path directory = target.resolve(name(leader, test));
        Files.createDirectories(directory);
        writeFiles(images, ids, leader, directory, files);
      }
    }
  }

  /** The name of the folder of a party's samples. */
  public static String name(boolean leader, boolean test) {
    return (leader ? "leader" : "follower") + (test ? "_test" : "_train");
  }

  private static void writeFiles(
      LabeledImages images, int[] ids, boolean leader, Path directory, int files)
      throws IOException {
    List<TfRecordWriter> writers = new ArrayList<>();
    try {
      for (int file = 0; file < files; file++) {
        writers.add(new TfRecordWriter(directory.resolve("data_" + file + DataDirectory.SUFFIX)));
      }
      for (int i = 0; i < ids.length; i++) {
        writers.get(i % files).write(sample(images, ids[i], leader).toBytes());
      }
    } finally {
      closeAll(writers);
    }
  }

  private static Sample sample(LabeledImages images, int id, boolean leader) {
    int half = images.columns() / 2;
    return leader
        ? new Sample(id, images.strip(id, 0, half), Optional.of((float) images.label(id)))
        : new Sample(id, images.strip(id, half, images.columns()), Optional.empty());
  }

  private static void closeAll(List<TfRecordWriter> writers) throws IOException {
    IOException failure = null;
    for (TfRecordWriter writer : writers) {
      try {
        writer.close();
      } catch (IOException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
