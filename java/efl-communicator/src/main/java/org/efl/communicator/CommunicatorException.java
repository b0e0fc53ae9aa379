package org.efl.communicator;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An operation failed, or a node or peer could not be made. The message is one line: {@code
 * "<CODE>: <operation>[ '<name>'][ step <n>][, peer <peer>]: <reason>"}, or {@code "<CODE>:
 * <reason>"} when it belongs to no operation.
 */
public final class CommunicatorException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private static final String CODES = codes();
  private static final Pattern OPERATION_FAILED =
      Pattern.compile(
          "\\b(?<code>"
              + CODES
              + "): (?<operation>send tensor|receive tensor|connect|send reader state"
              + "|receive reader state|terminate reader|send checkpoint version"
              + "|receive checkpoint version|close connection|add step)"
              + "(?: '(?<name>.*?)'(?= step |, peer |: ))?"
              + "(?: step (?<step>\\d+))?"
              + "(?:, peer (?<peer>.+?))?"
              + ": (?<reason>.*)");
  // TensorFlow lists root errors as "(0) <its code>: <message>". Its own have no second code.
  private static final Pattern FAILED =
      Pattern.compile(
          "(?:^|(?m:^\\s*)\\(\\d+\\) [A-Za-z_ ]+: )(?<code>" + CODES + "): (?<reason>.*)");

  private final Code code;
  private final String operation;
  private final String name;
  private final long step;
  private final String peer;
  private final String reason;

  /**
   * A failure put together from its parts.
   *
   * @param operation what failed ({@code "send tensor"}, {@code "connect"}, …), "" for none
   * @param name the tensor or dataset, "" for none
   * @param step the step, -1 for none
   * @param peer the peer's party id or address, "" for none
   */
  public CommunicatorException(
      Code code, String operation, String name, long step, String peer, String reason) {
    this(
        code, operation, name, step, peer, reason, text(code, operation, name, step, peer, reason));
  }

  CommunicatorException(
      Code code,
      String operation,
      String name,
      long step,
      String peer,
      String reason,
      String text) {
    super(text);
    this.code = code;
    this.operation = operation;
    this.name = name;
    this.step = step;
    this.peer = peer;
    this.reason = reason;
  }

  /** The kind of failure, never {@link Code#OK}. */
  public Code code() {
    return code;
  }

  /** What failed: {@code "send tensor"}, {@code "connect"}, …; "" when it was no operation. */
  public String operation() {
    return operation;
  }

  /** The tensor or dataset, "" when there is none. */
  public String name() {
    return name;
  }

  /** The step, -1 when there is none. */
  public long step() {
    return step;
  }

  /** The peer's party id or address, "" when there is none. */
  public String peer() {
    return peer;
  }

  /** Why, without the rest of the message. */
  public String reason() {
    return reason;
  }

  /**
   * Finds the message of such a failure inside a longer text, as TensorFlow wraps it. A message
   * without an operation is found at the start of the text, and at that of a root error.
   */
  public static Optional<CommunicatorException> parse(String text) {
    if (text == null) {
      return Optional.empty();
    }
    Matcher found = OPERATION_FAILED.matcher(text);
    if (found.find()) {
      String step = found.group("step");
      return Optional.of(
          new CommunicatorException(
              Code.valueOf(found.group("code")),
              found.group("operation"),
              orEmpty(found.group("name")),
              step == null ? -1 : Long.parseLong(step),
              orEmpty(found.group("peer")),
              found.group("reason"),
              found.group()));
    }
    found = FAILED.matcher(text);
    if (found.find()) {
      return Optional.of(
          new CommunicatorException(
              Code.valueOf(found.group("code")), "", "", -1, "", found.group("reason")));
    }
    return Optional.empty();
  }

  private static String text(
      Code code, String operation, String name, long step, String peer, String reason) {
    StringBuilder text = new StringBuilder(code.name()).append(": ");
    if (!operation.isEmpty()) {
      text.append(operation);
      text.append(name.isEmpty() ? "" : " '" + name + "'");
      text.append(step < 0 ? "" : " step " + step);
      text.append(peer.isEmpty() ? "" : ", peer " + peer);
      text.append(": ");
    }
    return text.append(reason).toString();
  }

  private static String codes() {
    StringBuilder names = new StringBuilder();
    for (Code code : Code.values()) {
      if (code != Code.OK) {
        names.append(names.length() == 0 ? "" : "|").append(code.name());
      }
    }
    return names.toString();
  }

  private static String orEmpty(String text) {
    return text == null ? "" : text;
  }
}
