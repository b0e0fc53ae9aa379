package org.efl.examples.data;

/**
 * Grey images of one size with their labels. The position of an image is its sample id.
 *
 * <p>The arrays are not copied; nobody writes to them once they are here.
 */
public final class LabeledImages {
  private final int rows;
  private final int columns;
  private final byte[] pixels;
  private final byte[] labels;

  /**
   * Takes images and labels over.
   *
   * @param pixels image by image, row by row, one unsigned byte each
   * @param labels one per image, 0 to 9
   * @throws IllegalArgumentException when the numbers of pixels and labels don't match
   */
  public LabeledImages(int rows, int columns, byte[] pixels, byte[] labels) {
    if ((long) labels.length * rows * columns != pixels.length) {
      throw new IllegalArgumentException(
          String.format(
              "%d pixels are not %d images of %d x %d.",
              pixels.length, labels.length, rows, columns));
    }
    this.rows = rows;
    this.columns = columns;
    this.pixels = pixels;
    this.labels = labels;
  }

  /** How many images there are. */
  public int count() {
    return labels.length;
  }

  /** The height of each image, in pixels. */
  public int rows() {
    return rows;
  }

  /** The width of each image, in pixels. */
  public int columns() {
    return columns;
  }

  /** The digit that an image shows. */
  public int label(int image) {
    return labels[image];
  }

  /**
   * A vertical strip of an image, row by row, scaled to 0 … 1.
   *
   * @param firstColumn the first column of the strip
   * @param endColumn the column after its last
   */
  public float[] strip(int image, int firstColumn, int endColumn) {
    int width = endColumn - firstColumn;
    float[] strip = new float[rows * width];
    for (int row = 0; row < rows; row++) {
      int line = (image * rows + row) * columns + firstColumn;
      for (int column = 0; column < width; column++) {
        strip[row * width + column] = (pixels[line + column] & 0xff) / 255f;
      }
    }
    return strip;
  }
}
