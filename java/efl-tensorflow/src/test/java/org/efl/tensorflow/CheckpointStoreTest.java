package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointStoreTest {
  private static final int LONGEST_PATH = 4095;

  @TempDir Path folder;

  private static void write(Path prefix, String content) {
    try {
      Files.writeString(Path.of(prefix + ".index"), content);
      Files.writeString(Path.of(prefix + ".data-00000-of-00001"), content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void shouldHoldNothingAtFirst() {
    assertEquals("", new CheckpointStore(folder.resolve("none yet"), 3).newest());
  }

  @Test
  void shouldOrderVersionsByNumber() {
    CheckpointStore store = new CheckpointStore(folder, 9);
    for (String version : List.of("900", "1000", "0")) {
      store.save(version, prefix -> write(prefix, version));
    }
    assertEquals(List.of("0", "900", "1000"), store.versions());
    assertEquals("1000", store.newest());
  }

  @Test
  void shouldKeepTheLast() {
    CheckpointStore store = new CheckpointStore(folder, 2);
    for (int version = 1; version <= 5; version++) {
      store.save(Integer.toString(version), prefix -> write(prefix, "x"));
    }
    assertEquals(List.of("4", "5"), store.versions());
    assertEquals(2, entries());
  }

  @Test
  void shouldKeepTheVersionJustSavedWhateverElseIsThere() {
    CheckpointStore store = new CheckpointStore(folder, 2);
    store.save("8", prefix -> write(prefix, "x"));
    store.save("10", prefix -> write(prefix, "x"));
    store.save("6", prefix -> write(prefix, "x"));
    assertEquals(List.of("6", "10"), store.versions());
  }

  @Test
  void shouldFindTheNewestUpToAVersionByNumber() {
    CheckpointStore store = new CheckpointStore(folder, 9);
    for (String version : List.of("9", "10", "100")) {
      store.save(version, prefix -> write(prefix, "x"));
    }
    assertEquals("100", store.newestUpTo("1000"));
    assertEquals("10", store.newestUpTo("99"));
    assertEquals("9", store.newestUpTo("9"));
    assertEquals("", store.newestUpTo("8"));
    assertEquals("", store.newestUpTo(""));
  }

  @Test
  void shouldReplaceAVersionThatIsThere() throws IOException {
    CheckpointStore store = new CheckpointStore(folder, 2);
    store.save("7", prefix -> write(prefix, "before"));
    store.save("7", prefix -> write(prefix, "after"));
    assertEquals("after", Files.readString(Path.of(store.prefix("7") + ".index")));
    assertEquals(1, entries());
  }

  @Test
  void shouldNotCountWhatWasNotFinished() {
    CheckpointStore store = new CheckpointStore(folder, 2);
    store.save("7", prefix -> write(prefix, "x"));
    CheckpointException e =
        assertThrows(
            CheckpointException.class,
            () ->
                store.save(
                    "8",
                    prefix -> {
                      write(prefix, "half");
                      throw new IllegalStateException("the disk is full");
                    }));
    assertTrue(e.getMessage().contains("the disk is full. Checkpoint 7 is whole"), e.getMessage());
    assertEquals(1, entries());
    assertEquals("7", store.newest());
    store.save("9", prefix -> write(prefix, "x"));
    assertEquals(List.of("7", "9"), store.versions());
    assertEquals(2, entries());
  }

  @ParameterizedTest
  @ValueSource(strings = {"variables.index", "variables.data-00000-of-00001", "manifest"})
  void shouldNotCountWhatIsCutOff(String name) throws IOException {
    CheckpointStore store = new CheckpointStore(folder, 3);
    for (String version : List.of("6", "7", "8")) {
      store.save(version, prefix -> write(prefix, "what was trained"));
    }
    Path file = folder.resolve("8").resolve(name);
    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 3));
    store.lookAgain();
    assertEquals("7", store.newest());
    assertFalse(store.holds("8"));
    assertEquals("7", store.newestUpTo("9"));
    store.abandonAfter("7");
    assertEquals(List.of("6", "7"), store.versions());
  }

  @Test
  void shouldNotCountWhatHasChanged() throws IOException {
    CheckpointStore store = new CheckpointStore(folder, 3);
    store.save("7", prefix -> write(prefix, "what was trained"));
    Files.writeString(folder.resolve("7/variables.index"), "what was broken!");
    store.lookAgain();
    assertEquals("", store.newest());
  }

  @Test
  void shouldNotTakeADamagedEndForOne() throws IOException {
    CheckpointStore store = new CheckpointStore(folder, 3);
    store.save("7", prefix -> write(prefix, "x"));
    for (byte[] damaged : new byte[][] {{}, {'7', (byte) 0xff}, {0}, {(byte) 0xc3}}) {
      Files.write(folder.resolve("finished"), damaged);
      assertEquals(CheckpointStore.Finished.NO, store.finished());
    }
  }

  @Test
  void shouldRememberTheEndAsLongAsItIsTheNewest() {
    CheckpointStore store = new CheckpointStore(folder, 3);
    store.finish("7", true);
    assertEquals(CheckpointStore.Finished.NO, store.finished());
    store.save("7", prefix -> write(prefix, "x"));
    assertEquals(CheckpointStore.Finished.CONFIRMED, store.finished());
    store.finish("7", false);
    assertEquals(CheckpointStore.Finished.HERE, store.finished());
    store.save("8", prefix -> write(prefix, "x"));
    assertEquals(CheckpointStore.Finished.NO, store.finished());
    store.abandonAfter("8");
    store.abandonAfter("7");
    assertEquals(CheckpointStore.Finished.NO, store.finished());
    store.finish("7", true);
    store.forgetEnd();
    assertEquals(CheckpointStore.Finished.NO, store.finished());
  }

  @Test
  void shouldHoldWhatWasSavedWithDigitsOfAnotherLanguage() {
    CheckpointStore store = new CheckpointStore(folder, 3);
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
    try {
      store.save("7", prefix -> write(prefix, "x"));
    } finally {
      Locale.setDefault(before);
    }
    store.lookAgain();
    assertEquals("7", store.newest());
  }

  @Test
  void shouldSaveWhenAnOldVersionCannotBeRemoved() throws IOException {
    CheckpointStore store = new CheckpointStore(folder, 2);
    store.save("1", prefix -> write(prefix, "x"));
    fillWithLongPaths(folder.resolve("1"));
    Path leftover = folder.resolve(".unfinished-old-1");
    try {
      for (String version : List.of("2", "3", "4")) {
        store.save(version, prefix -> write(prefix, "x"));
      }
      assertEquals(List.of("3", "4"), store.versions());
      assertTrue(Files.isDirectory(leftover));
    } finally {
      Files.move(leftover, folder.resolve("1"));
    }
  }

  /** With paths that are as long as Linux lets them be: under a longer name nothing finds them. */
  private static void fillWithLongPaths(Path version) throws IOException {
    Path deepest = version.toAbsolutePath();
    for (int room = LONGEST_PATH - deepest.toString().length();
        room > 1;
        room = LONGEST_PATH - deepest.toString().length()) {
      deepest = Files.createDirectory(deepest.resolve("d".repeat(Math.min(room - 1, 200))));
    }
  }

  @Test
  void shouldMoveAsideWhatATrainingGoesBackBehind() throws IOException {
    CheckpointStore store = new CheckpointStore(folder, 4);
    for (String version : List.of("1", "20", "30", "40")) {
      store.save(version, prefix -> write(prefix, "trained " + version));
    }
    store.abandonAfter("1");
    assertEquals(List.of("1"), store.versions());
    assertEquals("1", store.newest());
    CheckpointStore aside = new CheckpointStore(abandoned().get(0), 9);
    assertEquals(List.of("20", "30", "40"), aside.versions());
    assertTrue(aside.holds("40"));
    assertEquals("trained 40", Files.readString(Path.of(aside.prefix("40") + ".index")));
  }

  @Test
  void shouldKeepAsManyAbandonedVersionsAsOthersTheLatestOnes() throws IOException {
    CheckpointStore store = new CheckpointStore(folder, 3);
    for (int run = 1; run <= 4; run++) {
      for (String version : List.of("1", "2", "3")) {
        String content = version + " of run " + run;
        store.save(version, prefix -> write(prefix, content));
      }
      store.abandonAfter("1");
      assertEquals(List.of("1"), store.versions());
    }
    List<Path> aside = abandoned();
    assertEquals(2, aside.size());
    assertEquals(List.of("3"), CheckpointStore.versionsIn(aside.get(0)));
    assertEquals("3 of run 3", Files.readString(aside.get(0).resolve("3/variables.index")));
    assertEquals(List.of("2", "3"), CheckpointStore.versionsIn(aside.get(1)));
    assertEquals("2 of run 4", Files.readString(aside.get(1).resolve("2/variables.index")));
  }

  @Test
  void shouldMoveNothingAsideWhenNothingIsNewer() {
    CheckpointStore store = new CheckpointStore(folder, 3);
    store.save("7", prefix -> write(prefix, "x"));
    store.abandonAfter("7");
    assertEquals(1, entries());
  }

  @Test
  void shouldSaveAndReadOnAnInterruptedThread() {
    CheckpointStore store = new CheckpointStore(folder, 3);
    Thread.currentThread().interrupt();
    try {
      store.save("7", prefix -> write(prefix, "what was trained"));
      store.finish("7", true);
      store.lookAgain();
      assertTrue(store.holds("7"));
      assertEquals(CheckpointStore.Finished.CONFIRMED, store.finished());
    } finally {
      assertTrue(Thread.interrupted(), "the interrupt was swallowed");
    }
  }

  /** The folders of abandoned versions, the oldest first. */
  private List<Path> abandoned() throws IOException {
    return DurableFiles.list(folder).stream()
        .filter(path -> path.getFileName().toString().startsWith("abandoned-"))
        .sorted()
        .toList();
  }

  @Test
  void shouldNotFollowAPeersTextOutOfTheFolder() throws IOException {
    CheckpointStore store = new CheckpointStore(folder.resolve("mine"), 2);
    store.save("7", prefix -> write(prefix, "x"));
    Files.createDirectories(folder.resolve("8"));
    write(folder.resolve("8").resolve("variables"), "x");
    assertTrue(store.holds("7"));
    for (String text : List.of("../8", "/", "7/", "07", "", " 7", "99999999999999999999")) {
      assertFalse(store.holds(text), text);
    }
  }

  private long entries() {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
