package org.efl.communicator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class MillisecondsTest {
  @Test
  void shouldRoundUp() {
    assertEquals(0, Milliseconds.of("timeout", Duration.ZERO));
    assertEquals(1, Milliseconds.of("timeout", Duration.ofNanos(1)));
    assertEquals(1, Milliseconds.of("timeout", Duration.ofMillis(1)));
    assertEquals(2, Milliseconds.of("timeout", Duration.ofNanos(1_000_001)));
  }

  @Test
  void shouldTakeTheLongestForWhatIsLonger() {
    Duration longest = Duration.ofMillis(Integer.MAX_VALUE);
    assertEquals(Integer.MAX_VALUE, Milliseconds.of("timeout", longest));
    assertEquals(Integer.MAX_VALUE, Milliseconds.of("timeout", longest.minusNanos(1)));
    assertEquals(Integer.MAX_VALUE, Milliseconds.of("timeout", Duration.ofSeconds(Long.MAX_VALUE)));
  }

  @Test
  void shouldRefuseANegativeTimeByTheNameOfTheOption() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> PeerOptions.builder().reconnectTimeout(Duration.ofNanos(-1)));
    assertTrue(refused.getMessage().contains("reconnectTimeout"), refused.getMessage());
  }
}
