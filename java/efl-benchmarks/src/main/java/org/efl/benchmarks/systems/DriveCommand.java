package org.efl.benchmarks.systems;

import java.util.concurrent.Callable;
import org.efl.benchmarks.Json;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The driving end: measures, and prints the figures as a line of JSON. */
@Command(name = "drive", description = "The driving end of a system.")
public final class DriveCommand implements Callable<Integer> {
  @Mixin private ChildOptions options;

  @Override
  public Integer call() throws Exception {
    StandardInput.haltAtEnd();
    System.out.println(Json.line(Measurement.of(options)));
    return 0;
  }
}
