package org.efl.examples.data;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Reads the IDX files in which MNIST is published: a big-endian header (two zero bytes, the element
 * type, the number of dimensions, then each dimension as an int32) and the elements. Files may be
 * compressed with gzip, whatever their name.
 */
public final class IdxReader {
  private static final int UNSIGNED_BYTE = 0x08;
  private static final long MAX_ELEMENTS = 1L << 30;
  private static final List<String> PREFIXES = List.of("", "t10k-", "train-");

  private IdxReader() {}

  /**
   * Reads {@code images-idx3-ubyte} and {@code labels-idx1-ubyte} of a directory, with or without
   * {@code .gz}, and with or without MNIST's {@code t10k-} or {@code train-} in front.
   *
   * @throws IOException when a file is missing or isn't what it should be; the message names it
   */
  public static LabeledImages read(Path directory) throws IOException {
    Path imagesFile = existing(directory, "images");
    Path labelsFile = existing(directory, "labels");
    Array images = readArray(imagesFile, 3);
    Array labels = readArray(labelsFile, 1);
    if (images.dims[0] != labels.dims[0]) {
      throw new IOException(
          String.format(
              "%s has %d images, but %s has %d labels.",
              imagesFile, images.dims[0], labelsFile, labels.dims[0]));
    }
    for (byte label : labels.elements) {
      if (label < 0 || label > 9) {
        throw new IOException(labelsFile + ": label " + (label & 0xff) + " is not a digit.");
      }
    }
    return new LabeledImages(images.dims[1], images.dims[2], images.elements, labels.elements);
  }

  private static Path existing(Path directory, String what) throws IOException {
    Path file = find(directory, what);
    if (file == null) {
      throw new IOException("No " + baseName(what) + "[.gz] in " + directory + ".");
    }
    return file;
  }

  private static Path find(Path directory, String what) {
    for (String prefix : PREFIXES) {
      for (String suffix : List.of("", ".gz")) {
        Path file = directory.resolve(prefix + baseName(what) + suffix);
        if (Files.isRegularFile(file)) {
          return file;
        }
      }
    }
    return null;
  }

  private static String baseName(String what) {
    return what + (what.equals("images") ? "-idx3-ubyte" : "-idx1-ubyte");
  }

  private static Array readArray(Path file, int rank) throws IOException {
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(file));
        DataInputStream in = new DataInputStream(unzipped(raw))) {
      int[] dims = readHeader(file, in, rank);
      long count = 1;
      for (int dim : dims) {
        count *= dim;
      }
      byte[] elements = in.readNBytes((int) count);
      if (elements.length < count) {
        throw new IOException(
            String.format("%s: cut off after %d of %d elements.", file, elements.length, count));
      }
      if (in.read() >= 0) {
        throw new IOException(file + ": bytes follow the last element.");
      }
      return new Array(dims, elements);
    } catch (EOFException e) {
      throw new IOException(file + ": cut off.", e);
    } catch (ZipException e) {
      throw new IOException(file + ": begins like gzip, but isn't: " + e.getMessage() + ".", e);
    }
  }

  private static InputStream unzipped(InputStream in) throws IOException {
    in.mark(2);
    boolean zipped = in.read() == 0x1f && in.read() == 0x8b;
    in.reset();
    return zipped ? new GZIPInputStream(in) : in;
  }

  private static int[] readHeader(Path file, DataInputStream in, int rank) throws IOException {
    int magic = in.readInt();
    if (magic != (UNSIGNED_BYTE << 8 | rank)) {
      throw new IOException(
          String.format(
              "%s: not an IDX file of unsigned bytes in %d dimensions (it begins with 0x%08x).",
              file, rank, magic));
    }
    int[] dims = new int[rank];
    long count = 1;
    for (int i = 0; i < rank; i++) {
      dims[i] = in.readInt();
      if (dims[i] <= 0 || (count *= dims[i]) > MAX_ELEMENTS) {
        throw new IOException(file + ": dimension " + i + " can't be " + dims[i] + ".");
      }
    }
    return dims;
  }

  private static final class Array {
    final int[] dims;
    final byte[] elements;

    Array(int[] dims, byte[] elements) {
      this.dims = dims;
      this.elements = elements;
    }
  }
}
