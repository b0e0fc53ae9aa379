package org.efl.tensorflow;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** Tells models apart that were saved by a {@link CheckpointHook}, bit for bit. */
public final class ModelDigest {
  private ModelDigest() {}

  /**
   * SHA-256 over the variables of the newest whole checkpoint, in the order of their names, as
   * TensorFlow writes them; "" when there is no checkpoint.
   *
   * @param directory of the checkpoints, as the hook was given it
   */
  public static String sha256(Path directory) throws IOException {
    CheckpointStore store = new CheckpointStore(directory, Integer.MAX_VALUE);
    String newest = store.newest();
    return newest.isEmpty() ? "" : digest(store.prefix(newest));
  }

  private static String digest(Path prefix) throws IOException {
    MessageDigest sha256;
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    for (Path file : data(prefix)) {
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), sha256)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
    }
    return HexFormat.of().formatHex(sha256.digest());
  }

  /** The index has names, types, shapes and places; the rest is the values. */
  private static List<Path> data(Path prefix) throws IOException {
    try (Stream<Path> files = Files.list(prefix.getParent())) {
      return files
          .filter(file -> file.getFileName().toString().startsWith(prefix.getFileName() + "."))
          .sorted()
          .toList();
    }
  }
}
