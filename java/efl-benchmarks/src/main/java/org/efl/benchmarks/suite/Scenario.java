package org.efl.benchmarks.suite;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One thing that is measured, of several systems.
 *
 * @param figures the case that each field of a system's output goes to
 * @param childCase what the programs are told to do
 * @param sizes their options beside that
 * @param delayMs what a proxy adds in each direction, 0 for no proxy
 * @param rounds how often each system has its turn
 */
record Scenario(
    Map<String, String> figures,
    String unit,
    String childCase,
    Map<String, Long> sizes,
    List<String> systems,
    boolean tls,
    int delayMs,
    int rounds) {
  /** Whether tensors are larger than what the communicator keeps memory for by default. */
  boolean largeTensors() {
    return childCase.equals("one");
  }

  /** The same with tensors that are no larger than this. */
  Scenario within(long bytes) {
    Map<String, Long> smaller = new LinkedHashMap<>(sizes);
    smaller.computeIfPresent("bytes", (option, value) -> Math.min(value, bytes));
    return new Scenario(figures, unit, childCase, smaller, systems, tls, delayMs, rounds);
  }
}
