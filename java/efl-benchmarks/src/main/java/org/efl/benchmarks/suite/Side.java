package org.efl.benchmarks.suite;

import java.util.Locale;

/** The two ends of a measured system, each a process. */
enum Side {
  /** Listens; the leader, where there are roles. */
  SERVE("leader"),
  /** Dials and measures; the follower. */
  DRIVE("follower");

  private final String certificate;

  Side(String certificate) {
    this.certificate = certificate;
  }

  /** The name of its certificate. */
  String certificate() {
    return certificate;
  }

  /** The command of its program. */
  String command() {
    return name().toLowerCase(Locale.ROOT);
  }
}
