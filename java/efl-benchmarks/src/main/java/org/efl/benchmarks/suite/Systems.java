package org.efl.benchmarks.suite;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.efl.benchmarks.Json;
import org.efl.benchmarks.Main;
import tools.jackson.databind.JsonNode;

/** All systems that the suite knows. */
final class Systems {
  private static final String WIRE = "EFL_WIRE";
  private static final Map<String, String> LINK = Map.of(WIRE, "link");
  private static final Map<String, String> TRAINER = Map.of(WIRE, "trainer");

  /** A message of the trainer wire holds 1 GiB with what is around the tensor. */
  private static final long LARGEST_OF_TRAINER = (1 << 30) - (1 << 20);

  private static final int IPERF3_SECONDS = 2;

  private Systems() {}

  static Map<String, MeasuredSystem> all(Path nativeProgram) {
    List<String> java = java();
    List<String> cpp = List.of(nativeProgram.toString());
    Optional<String> cppMissing = missing(nativeProgram);
    List<MeasuredSystem> all =
        List.of(
            MeasuredSystem.of("efl-op", java, "efl-op").with(LINK),
            MeasuredSystem.of("efl-java", java, "efl-java").with(LINK),
            MeasuredSystem.of("efl-cpp", cpp, "efl-cpp").with(LINK).missing(cppMissing),
            MeasuredSystem.of("efl-trainer", java, "efl-op")
                .with(TRAINER)
                .withLargestTensor(LARGEST_OF_TRAINER),
            MeasuredSystem.of("grpc-cpp", cpp, "grpc-cpp").missing(cppMissing),
            MeasuredSystem.of("grpc-cpp-land", cpp, "grpc-cpp", "--land", "copy")
                .missing(cppMissing),
            MeasuredSystem.of("grpc-java", java, "grpc-java"),
            MeasuredSystem.of("flight-java", java, "flight-java"),
            MeasuredSystem.of("tcp", cpp, "tcp").missing(cppMissing),
            iperf3());
    Map<String, MeasuredSystem> byName = new LinkedHashMap<>();
    all.forEach(system -> byName.put(system.name(), system));
    return byName;
  }

  private static List<String> java() {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        // Arrow's memory reaches into java.nio.
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "-Darrow.enable_unsafe_memory_access=true",
        "-Darrow.enable_null_check_for_get=false",
        "-XX:MaxDirectMemorySize=6g",
        // As the example is started (java/efl-examples/bin/mnist).
        "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
        // Where this process unpacks native libraries; "" is nowhere, which JavaCPP has a default
        // for.
        "-Dorg.bytedeco.javacpp.cachedir="
            + System.getProperty("org.bytedeco.javacpp.cachedir", ""),
        "-cp",
        System.getProperty("java.class.path"),
        Main.class.getName());
  }

  private static MeasuredSystem iperf3() {
    return new MeasuredSystem(
        "iperf3",
        Systems::iperf3,
        "Server listening",
        Systems::readIperf3,
        Map.of(),
        Long.MAX_VALUE,
        missing(Path.of("/usr/bin/iperf3")));
  }

  private static List<String> iperf3(Side side, MeasuredSystem.Turn turn) {
    String port = Integer.toString(turn.port());
    return side == Side.SERVE
        ? List.of("iperf3", "-s", "-1", "--forceflush", "-B", "127.0.0.1", "-p", port)
        : List.of("iperf3", "-c", "127.0.0.1", "-p", port, "-t", "" + IPERF3_SECONDS, "-J");
  }

  private static JsonNode readIperf3(JsonNode output) {
    double bitsPerSecond = output.at("/end/sum_received/bits_per_second").asDouble();
    return Json.parse(Json.line(Map.of("median", bitsPerSecond / 8e9)));
  }

  private static Optional<String> missing(Path program) {
    return Files.isExecutable(program)
        ? Optional.empty()
        : Optional.of("there is no " + program.getFileName());
  }
}
