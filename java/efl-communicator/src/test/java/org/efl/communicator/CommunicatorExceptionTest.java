package org.efl.communicator;

import static org.efl.communicator.Outcomes.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The one-line text of a failure, written and read again. */
@Timeout(60)
class CommunicatorExceptionTest {
  static Stream<CommunicatorException> failures() {
    return Stream.of(
        new CommunicatorException(
            Code.DEADLINE_EXCEEDED,
            "receive tensor",
            "fc1",
            3,
            "localhost:50052",
            "nothing arrived within 600 s"),
        new CommunicatorException(
            Code.DATA_LOSS, "send tensor", "it's: a, peer", 0, "[::1]:50052", "step 3: step 4"),
        new CommunicatorException(
            Code.OUT_OF_RANGE, "receive reader state", "train", -1, "bank b", "the end"),
        new CommunicatorException(
            Code.UNAVAILABLE, "connect", "", -1, "host:1", "TLS: no, peer said: \"x\""),
        new CommunicatorException(
            Code.FAILED_PRECONDITION, "close connection", "", -1, "host:1", "Already Closed."),
        new CommunicatorException(Code.ABORTED, "add step", "", -1, "host:1", "stopped"),
        new CommunicatorException(
            Code.CANCELLED, "receive checkpoint version", "", -1, "", "closed"),
        new CommunicatorException(
            Code.INVALID_ARGUMENT, "", "", -1, "", "server_thread_num='0': expected 1 to 256"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void shouldReadWhatItHasWritten(CommunicatorException written) {
    assertSame(written, CommunicatorException.parse(written.getMessage()).orElseThrow());
  }

  @ParameterizedTest
  @MethodSource("failures")
  void shouldFindAFailureAmongRootErrors(CommunicatorException written) {
    String text =
        "2 root error(s) found.\n  (0) ABORTED: " + written.getMessage() + "\n\t [[{{node Recv}}]]";

    assertSame(written, CommunicatorException.parse(text).orElseThrow());
  }

  @Test
  void shouldWriteTheOneLineText() {
    assertEquals(
        "DEADLINE_EXCEEDED: receive tensor 'fc1' step 3, peer localhost:50052: nothing arrived"
            + " within 600 s",
        failures().findFirst().orElseThrow().getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "DATA_LOSS",
        "NO_CODE: x",
        "a text with DATA_LOSS: in it",
        "OK: connect: x",
        "1 root error(s) found.\n  (0) INVALID_ARGUMENT: Incompatible shapes: [2] vs. [3]"
      })
  void shouldFindNothingInOtherTexts(String text) {
    assertEquals(Optional.empty(), CommunicatorException.parse(text));
  }

  @Test
  void shouldWriteTheSameTextAsTheKernel() throws Exception {
    try (Pair pair = Pair.connected()) {
      CommunicatorException kernels =
          failure(pair.follower.send("it's", 4, DType.BOOL, new long[] {}, Elements.direct(1)));

      assertSame(
          kernels,
          new CommunicatorException(
              kernels.code(),
              kernels.operation(),
              kernels.name(),
              kernels.step(),
              kernels.peer(),
              kernels.reason()));
    }
  }

  private static void assertSame(CommunicatorException expected, CommunicatorException actual) {
    assertEquals(expected.getMessage(), actual.getMessage());
    assertEquals(expected.code(), actual.code());
    assertEquals(expected.operation(), actual.operation());
    assertEquals(expected.name(), actual.name());
    assertEquals(expected.step(), actual.step());
    assertEquals(expected.peer(), actual.peer());
    assertEquals(expected.reason(), actual.reason());
  }
}
