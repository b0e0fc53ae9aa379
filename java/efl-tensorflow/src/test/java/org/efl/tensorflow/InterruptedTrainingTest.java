package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.PeerState;
import org.efl.communicator.Role;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a training session does when its thread is interrupted. */
@Timeout(180)
class InterruptedTrainingTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

  @TempDir Path folder;

  private Trained.Site site;

  @BeforeEach
  void prepare() {
    site = Trained.Site.in(folder);
  }

  @ParameterizedTest
  @EnumSource
  void shouldEndAtOnceWhenItIsInterruptedWhileItWaitsForThePeer(Role leaving) throws Exception {
    Role staying = Trained.other(leaving);
    Trained survivor = site.party(staying);
    AtomicReference<Thread> thread = new AtomicReference<>();
    AtomicReference<Communicator> waiting = new AtomicReference<>();
    try (Pair threads = Pair.open()) {
      Future<Float> surviving =
          threads.start(
              () ->
                  survivor.train(
                      Recovery.upTo(FOREVER),
                      (communicator, running) -> {
                        thread.set(Thread.currentThread());
                        waiting.set(communicator);
                      }));
      assertThrows(
          Trained.Left.class, () -> site.party(leaving).train(Recovery.none(), Trained.leaveAt(3)));
      Pair.until(() -> waiting.get().state() == PeerState.CONNECTING);
      thread.get().interrupt();
      assertInterrupted(Pair.failure(surviving), "while it waited for the peer, which was lost: ");
    }
    assertEquals(List.of("2"), site.versions(staying));
  }

  @ParameterizedTest
  @EnumSource
  void shouldEndAtTheNextStepWhenItIsInterrupted(Role interrupted) {
    Role other = Trained.other(interrupted);
    AtomicBoolean still = new AtomicBoolean();
    try (Pair threads = Pair.open()) {
      Future<Float> left =
          threads.start(() -> site.party(other).train(Recovery.upTo(LIMIT), Trained::never));
      Future<Float> ended =
          threads.start(
              () -> {
                try {
                  return site.party(interrupted)
                      .train(
                          Recovery.upTo(LIMIT),
                          (communicator, running) -> {
                            if (running.step() == 3) {
                              Thread.currentThread().interrupt();
                            }
                          });
                } finally {
                  still.set(Thread.interrupted());
                }
              });
      assertInterrupted(Pair.failure(ended), "before step 4");
      assertTrue(still.get(), "the interrupt was swallowed");
      // What it had trained is saved, and the training goes on when it is started again.
      assertEquals(List.of("2", "3"), site.versions(interrupted));
      assertEquals(
          Trained.EXPECTED, site.party(interrupted).train(Recovery.upTo(LIMIT), Trained::never));
      assertEquals(Trained.EXPECTED, Pair.await(left));
    }
  }

  private static void assertInterrupted(CommunicatorException failure, String when) {
    assertEquals(Code.CANCELLED, failure.code());
    assertTrue(
        failure.reason().startsWith("this thread was interrupted " + when), failure.reason());
    assertInstanceOf(InterruptedException.class, failure.getCause());
  }
}
