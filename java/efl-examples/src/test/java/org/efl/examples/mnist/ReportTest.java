package org.efl.examples.mnist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {
  private static TrainingRecord record(double accuracy, Double... losses) {
    return new TrainingRecord(
        "x", 1, losses.length, 50, List.of(losses), accuracy, Wire.MUTUAL_TLS, "");
  }

  @Test
  void shouldTakeTheLargestGapOfTheLosses() {
    Report report =
        Report.of(
            record(0.9, 3.0, 2.0, 1.5), record(-1), record(0.91, 3.0, 2.25, 1.0), record(0.8, 4.0));
    assertEquals(0.5, report.maxLossGap());
    assertEquals(
        "3 steps, 50.0 steps/s, test accuracy 0.9000 (pooled 0.9100, leader only 0.8000),"
            + " largest loss gap 0.50, mutual TLS",
        report.line(Wire.MUTUAL_TLS));
  }

  @Test
  void shouldCallTlsMutualOnlyWhereClientsShowCertificates() {
    assertEquals(Wire.MUTUAL_TLS, Wire.of("my.crt", "my.key", "ca.crt", ""));
    assertEquals(Wire.MUTUAL_TLS, Wire.of("my.crt", "my.key", "ca.crt", "request"));
    assertEquals(Wire.TLS, Wire.of("my.crt", "my.key", "ca.crt", "none"));
    assertEquals(Wire.TLS, Wire.of("my.crt", "my.key", "", ""));
    assertEquals(Wire.PLAINTEXT, Wire.of("", "", "ca.crt", ""));

    TrainingRecord tls = new TrainingRecord("x", 1, 0, 0, List.of(), 0, Wire.TLS, "");
    String line = Report.of(tls, tls, tls, tls).line(Wire.TLS);
    assertTrue(line.endsWith(", TLS"), line);
  }

  @Test
  void shouldNotCompareCurvesOfDifferentLength() {
    assertThrows(
        IllegalArgumentException.class,
        () -> Report.of(record(0.9, 3.0), record(-1), record(0.9, 3.0, 2.0), record(0.8, 4.0)));
  }
}
