package org.efl.examples.mnist;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.efl.examples.data.DigitGenerator;
import org.efl.examples.data.IdxReader;
import org.efl.examples.data.LabeledImages;
import org.efl.examples.data.VerticalSplit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "prepare",
    mixinStandardHelpOptions = true,
    description = "Splits images by columns into the two parties' TFRecord files.")
final class PrepareCommand implements Callable<Integer> {
  private static final int SIDE = 28;

  @Option(
      names = "--images",
      paramLabel = "DIR",
      description = "IDX files, gz or not; without it, images are drawn.")
  private Optional<Path> images;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "DIR",
      description = "Where leader_train, follower_train, leader_test, follower_test go.")
  private Path output;

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = "10000",
      description = "How many images to draw (default: ${DEFAULT-VALUE}).")
  private int count;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of the drawn images (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--files",
      paramLabel = "N",
      defaultValue = "10",
      description = "Files for each party and purpose (default: ${DEFAULT-VALUE}).")
  private int files;

  @Override
  public Integer call() throws IOException {
    LabeledImages all =
        images.isPresent() ? IdxReader.read(images.get()) : DigitGenerator.draw(count, seed);
    if (all.rows() != SIDE || all.columns() != SIDE) {
      throw new IOException(
          String.format(
              "The images are %d x %d; the network takes 28 x 28.", all.rows(), all.columns()));
    }
    VerticalSplit.write(all, output, files);
    System.out.printf(
        "%d images %s%n", all.count(), images.map(dir -> "of " + dir).orElse("drawn"));
    return 0;
  }
}
