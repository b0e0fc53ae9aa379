package org.efl.examples.data;

import java.util.Random;

/**
 * Draws digits, for machines without MNIST: glyphs of 5 x 7 dots, each placed, sized, slanted and
 * turned a little differently, with strokes of uneven strength and noise over all. The same seed
 * draws the same images. Half of an image leaves several digits possible, so the other party's
 * columns help.
 */
public final class DigitGenerator {
  /** Height and width of the images, as MNIST has them. */
  static final int SIDE = 28;

  private static final int GLYPH_ROWS = 7;
  private static final int GLYPH_COLUMNS = 5;

  private static final String[] GLYPHS = {
    " ### #   ##   ##   ##   ##   # ### ",
    "  #   ##    #    #    #    #   ### ",
    " ### #   #    #   #   #   #   #####",
    " ### #   #    #  ##     ##   # ### ",
    "   #   ##  # # #  # #####   #    # ",
    "######    ####     #    ##   # ### ",
    " ### #    #    #### #   ##   # ### ",
    "#####    #   #   #    #   #    #   ",
    " ### #   ##   # ### #   ##   # ### ",
    " ### #   ##   # ####    #    # ### ",
  };

  private final Random random;

  private DigitGenerator(long seed) {
    random = new Random(seed);
  }

  /** Draws {@code count} images of 28 x 28; every digit is equally likely. */
  public static LabeledImages draw(int count, long seed) {
    DigitGenerator generator = new DigitGenerator(seed);
    byte[] pixels = new byte[count * SIDE * SIDE];
    byte[] labels = new byte[count];
    for (int image = 0; image < count; image++) {
      labels[image] = (byte) generator.random.nextInt(10);
      generator.draw(GLYPHS[labels[image]], pixels, image * SIDE * SIDE);
    }
    return new LabeledImages(SIDE, SIDE, pixels, labels);
  }

  private void draw(String glyph, byte[] pixels, int offset) {
    Pose pose = new Pose(random);
    double noise = 0.1 + 0.2 * random.nextDouble();
    for (int y = 0; y < SIDE; y++) {
      for (int x = 0; x < SIDE; x++) {
        double ink = pose.strength * inkAt(glyph, pose.glyphX(x, y), pose.glyphY(x, y));
        double value = ink + noise * random.nextGaussian();
        pixels[offset + y * SIDE + x] = (byte) Math.round(255 * Math.min(1, Math.max(0, value)));
      }
    }
  }

  /** The ink at a place of the glyph, between its dots interpolated. */
  private static double inkAt(String glyph, double x, double y) {
    int column = (int) Math.floor(x);
    int row = (int) Math.floor(y);
    double right = x - column;
    double below = y - row;
    return (1 - below)
            * ((1 - right) * dot(glyph, column, row) + right * dot(glyph, column + 1, row))
        + below
            * ((1 - right) * dot(glyph, column, row + 1) + right * dot(glyph, column + 1, row + 1));
  }

  private static int dot(String glyph, int column, int row) {
    boolean inside = column >= 0 && column < GLYPH_COLUMNS && row >= 0 && row < GLYPH_ROWS;
    return inside && glyph.charAt(row * GLYPH_COLUMNS + column) == '#' ? 1 : 0;
  }

  /** How one digit lies in its image: from pixels to dots of the glyph. */
  private static final class Pose {
    final double strength;
    private final double dotWidth;
    private final double dotHeight;
    private final double slant;
    private final double sine;
    private final double cosine;
    private final double shiftX;
    private final double shiftY;

    Pose(Random random) {
      strength = between(random, 0.6, 1.0);
      dotWidth = between(random, 2.8, 4.2);
      dotHeight = between(random, 2.4, 3.4);
      slant = between(random, -0.3, 0.3);
      double angle = between(random, -0.2, 0.2);
      sine = Math.sin(angle);
      cosine = Math.cos(angle);
      shiftX = between(random, -3.5, 3.5);
      shiftY = between(random, -2.5, 2.5);
    }

    private static double between(Random random, double low, double high) {
      return low + (high - low) * random.nextDouble();
    }

    double glyphX(int x, int y) {
      double dx = x - (SIDE - 1) / 2.0 - shiftX;
      double dy = y - (SIDE - 1) / 2.0 - shiftY;
      double turned = cosine * dx + sine * dy;
      return (turned + slant * (cosine * dy - sine * dx)) / dotWidth + (GLYPH_COLUMNS - 1) / 2.0;
    }

    double glyphY(int x, int y) {
      double dx = x - (SIDE - 1) / 2.0 - shiftX;
      double dy = y - (SIDE - 1) / 2.0 - shiftY;
      return (cosine * dy - sine * dx) / dotHeight + (GLYPH_ROWS - 1) / 2.0;
    }
  }
}
