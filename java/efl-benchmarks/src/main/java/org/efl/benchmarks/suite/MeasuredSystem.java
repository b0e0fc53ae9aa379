package org.efl.benchmarks.suite;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;

/**
 * A system: how its two programs are started, and how to read what they say.
 *
 * @param commands makes the command line of an end
 * @param ready what a line of the serving end begins with once it accepts
 * @param reading makes the usual fields of what the driving end printed
 * @param environment of both ends
 * @param largestTensor in bytes
 * @param missing why it can't be measured, if so
 */
record MeasuredSystem(
    String name,
    Commands commands,
    String ready,
    UnaryOperator<JsonNode> reading,
    Map<String, String> environment,
    long largestTensor,
    Optional<String> missing) {
  /** Makes the command line of an end. */
  interface Commands {
    List<String> of(Side side, Turn turn);
  }

  /**
   * What an end is told of one measurement.
   *
   * @param port where the serving end listens, or what the driving end dials
   * @param peerPort where the driving end listens, or what the serving end dials
   * @param tls a directory of certificates, if TLS is to be spoken
   */
  record Turn(Scenario scenario, int port, int peerPort, Optional<Path> tls) {}

  /**
   * A system of programs that take the options of this suite.
   *
   * @param more options of its own, for both ends
   */
  static MeasuredSystem of(String name, List<String> program, String system, String... more) {
    List<String> options = List.of(more);
    return new MeasuredSystem(
        name,
        (side, turn) -> usual(program, system, options, side, turn),
        "READY",
        output -> output,
        Map.of(),
        Long.MAX_VALUE,
        Optional.empty());
  }

  private static List<String> usual(
      List<String> program, String system, List<String> more, Side side, Turn turn) {
    List<String> command = new ArrayList<>(program);
    command.addAll(List.of(side.command(), system, "--case", turn.scenario().childCase()));
    command.addAll(more);
    command.addAll(List.of("--port", Integer.toString(turn.port())));
    command.addAll(List.of("--peer-port", Integer.toString(turn.peerPort())));
    turn.scenario()
        .sizes()
        .forEach((option, value) -> command.addAll(List.of("--" + option, value.toString())));
    turn.tls().ifPresent(directory -> command.addAll(List.of("--tls", directory.toString())));
    return command;
  }

  MeasuredSystem with(Map<String, String> variables) {
    return new MeasuredSystem(name, commands, ready, reading, variables, largestTensor, missing);
  }

  MeasuredSystem withLargestTensor(long bytes) {
    return new MeasuredSystem(name, commands, ready, reading, environment, bytes, missing);
  }

  MeasuredSystem missing(Optional<String> reason) {
    return new MeasuredSystem(name, commands, ready, reading, environment, largestTensor, reason);
  }
}
