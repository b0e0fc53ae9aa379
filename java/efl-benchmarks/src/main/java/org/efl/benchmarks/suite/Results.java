package org.efl.benchmarks.suite;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/** All figures of a run, in the order in which they were measured. */
final class Results {
  private final List<Result> all = new ArrayList<>();

  void add(Result result) {
    all.add(result);
  }

  List<Result> all() {
    return Collections.unmodifiableList(all);
  }

  Set<String> cases() {
    Set<String> cases = new LinkedHashSet<>();
    all.forEach(result -> cases.add(result.caseName()));
    return cases;
  }

  Optional<Result> find(String caseName, String system) {
    return all.stream()
        .filter(result -> result.caseName().equals(caseName) && result.system().equals(system))
        .findFirst();
  }

  /** How many times better a system is than another in a case; empty where one has no figure. */
  OptionalDouble ratio(String caseName, String system, String other) {
    Optional<Result> one = find(caseName, system);
    Optional<Result> two = find(caseName, other);
    if (one.isEmpty() || two.isEmpty()) {
      return OptionalDouble.empty();
    }
    double ratio = one.get().value() / two.get().value();
    return OptionalDouble.of(Result.moreIsBetter(one.get().unit()) ? ratio : 1 / ratio);
  }
}
