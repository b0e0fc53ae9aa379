package org.efl.examples.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The blocks of one data set at one party: the TFRecord files below a directory. */
public final class DataDirectory {
  static final String SUFFIX = ".tfrd";

  private final Path directory;
  private final int width;
  private final boolean labeled;

  /**
   * Names a directory; it is read when blocks are asked for.
   *
   * @param width how many features each sample has
   * @param labeled whether each sample has a label
   */
  public DataDirectory(Path directory, int width, boolean labeled) {
    this.directory = directory;
    this.width = width;
    this.labeled = labeled;
  }

  /**
   * The ids of all blocks, in the order in which they are trained.
   *
   * @throws IOException when there are none, or no such directory
   */
  public List<String> blocks() throws IOException {
    if (!Files.isDirectory(directory)) {
      throw new IOException("There is no directory " + directory + ".");
    }
    List<String> blocks;
    try (Stream<Path> files = Files.walk(directory)) {
      blocks =
          files
              .filter(Files::isRegularFile)
              .map(file -> directory.relativize(file).toString())
              .filter(name -> name.endsWith(SUFFIX))
              .sorted()
              .toList();
    }
    if (blocks.isEmpty()) {
      throw new IOException("No *" + SUFFIX + " files in " + directory + ".");
    }
    return blocks;
  }

  /**
   * Opens a block.
   *
   * @param blockId its path relative to this directory; safe with what the peer sends: a path that
   *     leads out of the directory is refused
   * @param firstSample the index of the sample to begin with
   */
  public BlockReader open(String blockId, long firstSample) throws IOException {
    if (firstSample < 0) {
      throw new IOException("Block '" + blockId + "' can't be read from sample " + firstSample);
    }
    return new BlockReader(resolve(blockId), firstSample, width, labeled);
  }

  private Path resolve(String blockId) throws IOException {
    try {
      Path root = directory.toRealPath();
      Path file = root.resolve(blockId).normalize();
      if (!file.startsWith(root) || !blockId.endsWith(SUFFIX)) {
        throw new IOException("'" + blockId + "' is not a block of " + directory + ".");
      }
      if (!Files.isRegularFile(file)) {
        throw new IOException("There is no block '" + blockId + "' in " + directory + ".");
      }
      return directory.resolve(root.relativize(file));
    } catch (InvalidPathException e) {
      throw new IOException("'" + blockId + "' is not a block of " + directory + ".", e);
    }
  }
}
