package org.efl.examples.mnist;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Shows how a training gets on, and keeps what is told of it at the end. */
final class Progress {
  private static final int STEPS_PER_LINE = 20;

  private final String program;
  private final PrintStream out;
  private final List<Double> losses = new ArrayList<>();
  private long firstStep = 1;
  private long steps;
  private long startNanos;
  private long lastNanos;

  Progress(String program, PrintStream out) {
    this.program = program;
    this.out = out;
  }

  /** The training begins, after so many steps of earlier runs, or goes back to where they end. */
  void begin(long stepsBefore) {
    boolean back = steps > 0 && stepsBefore >= firstStep - 1;
    steps = back ? stepsBefore - (firstStep - 1) : 0;
    if (steps < losses.size()) {
      losses.subList((int) steps, losses.size()).clear();
    }
    if (steps == 0) {
      firstStep = stepsBefore + 1;
      startNanos = System.nanoTime();
      lastNanos = startNanos;
    }
  }

  /** A line of its own. */
  void say(String format, Object... arguments) {
    out.println(String.format(Locale.ROOT, format, arguments));
  }

  /** A step is done whose loss the other party knows. */
  void step(String where) {
    count(where, "");
  }

  /** A step is done. */
  void step(String where, double loss) {
    losses.add(loss);
    count(where, String.format(Locale.ROOT, "  loss %.4f", loss));
  }

  private void count(String where, String loss) {
    steps++;
    lastNanos = System.nanoTime();
    if (steps % STEPS_PER_LINE == 0) {
      say("%s  step %4d%s  %6.1f steps/s", where, firstStep + steps - 1, loss, stepsPerSecond());
    }
  }

  private double stepsPerSecond() {
    return steps == 0 ? 0 : steps * 1e9 / (lastNanos - startNanos);
  }

  TrainingRecord finish(double testAccuracy, Wire wire, String modelSha256) {
    return new TrainingRecord(
        program,
        firstStep,
        steps,
        stepsPerSecond(),
        List.copyOf(losses),
        testAccuracy,
        wire,
        modelSha256);
  }
}
