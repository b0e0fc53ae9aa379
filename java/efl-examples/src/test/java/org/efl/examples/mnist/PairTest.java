package org.efl.examples.mnist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.examples.data.DigitGenerator;
import org.efl.examples.data.VerticalSplit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class PairTest {
  private static final int IMAGES = 500;
  private static final int FILES = 2;

  /** 400 training samples in 2 files: 7 steps of 32 in each, the last with 8 samples. */
  private static final Hyperparameters PARAMETERS = new Hyperparameters(32, 0.3f, 5);

  private static final int STEPS = 14;

  @TempDir Path folder;
  private Path data;

  @BeforeEach
  void writeData() throws IOException {
    data = folder.resolve("data");
    VerticalSplit.write(DigitGenerator.draw(IMAGES, 1), data, FILES);
  }

  private Pair pair(Path followerData) {
    return new Pair(data, followerData, folder.resolve("checkpoints"), PARAMETERS);
  }

  private static void assertSameCurve(List<Double> expected, List<Double> actual) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(expected.get(i), actual.get(i), 1e-4, "step " + (i + 1));
    }
  }

  @Test
  void shouldTrainAsOneProcessWithAllColumnsDoes() throws IOException {
    Pair.Outcomes outcomes = pair(data).run(1);
    TrainingRecord trained = outcomes.trained();
    TrainingRecord pooled = LocalTraining.pooled(data, 1, PARAMETERS, Pair.SILENT);
    assertEquals(STEPS, trained.steps());
    assertEquals(STEPS, outcomes.follower().record().steps());
    assertSameCurve(pooled.losses(), trained.losses());
    assertEquals(pooled.testAccuracy(), trained.testAccuracy(), 0.005);
    assertTrue(trained.losses().get(STEPS - 1) < trained.losses().get(0));
  }

  @Test
  void shouldGoOnWhereTheLastCheckpointStands() throws IOException {
    List<Double> whole = LocalTraining.pooled(data, 2, PARAMETERS, Pair.SILENT).losses();
    pair(data).checkpointEvery(10).run(1).trained();
    TrainingRecord second = pair(data).run(2).trained();
    assertEquals(STEPS + 1, second.firstStep());
    assertSameCurve(whole.subList(STEPS, 2 * STEPS), second.losses());
  }

  @Test
  void shouldGoOnInTheMiddleOfAFile() throws IOException {
    List<Double> whole = LocalTraining.pooled(data, 1, PARAMETERS, Pair.SILENT).losses();
    pair(data).checkpointEvery(10).run(1).trained();
    for (String party : List.of("leader", "follower")) {
      remove(folder.resolve("checkpoints").resolve(party).resolve("" + STEPS));
    }
    TrainingRecord again = pair(data).run(1).trained();
    assertEquals(11, again.firstStep());
    assertSameCurve(whole.subList(10, STEPS), again.losses());
  }

  @Test
  void shouldGoOnFromTheNewestCheckpointThatBothHold() throws IOException {
    List<Double> whole = LocalTraining.pooled(data, 1, PARAMETERS, Pair.SILENT).losses();
    pair(data).checkpointEvery(10).run(1).trained();
    remove(folder.resolve("checkpoints").resolve("follower").resolve("" + STEPS));
    TrainingRecord again = pair(data).run(1).trained();
    assertEquals(11, again.firstStep());
    assertSameCurve(whole.subList(10, STEPS), again.losses());
  }

  @Test
  void shouldBeginAnewWhenOnePartyHoldsNoCheckpoint() throws IOException {
    pair(data).run(1).trained();
    remove(folder.resolve("checkpoints").resolve("follower"));
    assertEquals(1, pair(data).run(1).trained().firstStep());
  }

  @Test
  void shouldEndAtBothWhenTheSamplesDiffer() throws IOException {
    Path other = copyOfFollowerData();
    Files.move(
        other.resolve("follower_train/data_1.tfrd"),
        other.resolve("follower_train/data_0.tfrd"),
        StandardCopyOption.REPLACE_EXISTING);
    Pair.Outcomes outcomes = pair(other).run(1);
    assertMismatch(outcomes, "data_0.tfrd: row 0 of the batch is sample 0 at the leader, sample 1");
  }

  @Test
  void shouldEndAtBothWhenTheFollowersFileEndsFirst() throws IOException {
    Pair pair = pairOfFullBatches(followerDataOf(IMAGES - 100));
    assertMismatch(pair.run(1), "the batch has 40 samples at the leader, 0 at the follower");
  }

  @Test
  void shouldEndAtBothWhenTheLeadersFileEndsFirst() throws IOException {
    Pair pair = pairOfFullBatches(followerDataOf(IMAGES + 400));
    assertMismatch(pair.run(1), "the batch has 0 samples at the leader, 40 at the follower");
  }

  /**
   * Of the leader's 200 samples in a file, and of the follower's, none is left for a short batch.
   */
  private Pair pairOfFullBatches(Path followerData) {
    Hyperparameters parameters = new Hyperparameters(40, 0.3f, 5);
    return new Pair(data, followerData, folder.resolve("checkpoints"), parameters);
  }

  /** The same samples to begin with, and fewer or more of them in each file. */
  private Path followerDataOf(int images) throws IOException {
    Path other = folder.resolve("other");
    VerticalSplit.write(DigitGenerator.draw(images, 1), other, FILES);
    return other;
  }

  private static void assertMismatch(Pair.Outcomes outcomes, String followersReason) {
    SampleMismatchException atLeader =
        assertInstanceOf(SampleMismatchException.class, outcomes.leader().failure());
    assertEquals(Leader.OTHER_SAMPLES, atLeader.getMessage());
    SampleMismatchException atFollower =
        assertInstanceOf(SampleMismatchException.class, outcomes.follower().failure());
    assertTrue(atFollower.getMessage().contains(followersReason), atFollower.getMessage());
  }

  @Test
  void shouldEndAtBothWhenAFileIsMissing() throws IOException {
    Path other = copyOfFollowerData();
    Files.delete(other.resolve("follower_train/data_1.tfrd"));
    Pair.Outcomes outcomes = pair(other).run(1);
    IOException atFollower = assertInstanceOf(IOException.class, outcomes.follower().failure());
    assertTrue(atFollower.getMessage().contains("no block 'data_1.tfrd'"));
    CommunicatorException atLeader =
        assertInstanceOf(CommunicatorException.class, outcomes.leader().failure());
    // What its peer's close meets first: a send that waits, or an operation that begins.
    assertTrue(
        Set.of(Code.CANCELLED, Code.UNAVAILABLE).contains(atLeader.code()), atLeader.getMessage());
    assertTrue(atLeader.peer().startsWith("localhost:"), atLeader.getMessage());
  }

  private Path copyOfFollowerData() throws IOException {
    Path other = folder.resolve("other");
    try (Stream<Path> files = Files.walk(data)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = other.resolve(data.relativize(file));
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
    return other;
  }

  private static void remove(Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
