package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointStoreTest {
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
    assertThrows(
        IllegalStateException.class,
        () ->
            store.save(
                "8",
                prefix -> {
                  write(prefix, "half");
                  throw new IllegalStateException("the disk is full");
                }));
    assertEquals("7", store.newest());
    store.save("9", prefix -> write(prefix, "x"));
    assertEquals(List.of("7", "9"), store.versions());
    assertEquals(2, entries());
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
