package org.efl.benchmarks.suite;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where and of what the figures were taken. */
record Machine(
    String processor,
    int cores,
    long memoryGib,
    String kernel,
    String java,
    String allocator,
    String congestionControl,
    String commit,
    String date) {
  static Machine here(String commit) throws IOException {
    return new Machine(
        first("model name\\s*: (.*)", "/proc/cpuinfo"),
        Runtime.getRuntime().availableProcessors(),
        Math.round(Long.parseLong(first("MemTotal:\\s+(\\d+) kB", "/proc/meminfo")) / 1048576.0),
        Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip(),
        System.getProperty("java.vm.name") + " " + System.getProperty("java.version"),
        System.getenv().getOrDefault("GLIBC_TUNABLES", "as it comes"),
        Files.readString(Path.of("/proc/sys/net/ipv4/tcp_congestion_control")).strip(),
        commit,
        LocalDate.now(ZoneOffset.UTC).toString());
  }

  private static String first(String pattern, String file) throws IOException {
    Matcher matcher = Pattern.compile(pattern).matcher(Files.readString(Path.of(file)));
    return matcher.find() ? matcher.group(1) : "0";
  }

  /** A line for each. */
  List<String> lines() {
    return List.of(
        "processor: " + processor + ", " + cores + " cores",
        "memory: " + memoryGib + " GiB",
        "kernel: Linux " + kernel,
        "Java: " + java,
        "glibc's allocator: " + allocator,
        "congestion control of TCP: " + congestionControl,
        "commit: " + commit,
        "date: " + date);
  }
}
