package org.efl.benchmarks.suite;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** To come. */
@Command(name = "suite")
public final class SuiteCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    return 0;
  }
}
