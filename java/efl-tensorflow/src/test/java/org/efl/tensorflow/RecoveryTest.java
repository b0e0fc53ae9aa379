package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.PeerState;
import org.efl.communicator.Role;
import org.efl.communicator.Wire;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What a training session does when its peer leaves and comes again. */
@Timeout(180)
class RecoveryTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir Path folder;

  private Trained.Site site;

  @BeforeEach
  void prepare() {
    site = Trained.Site.in(folder);
  }

  @ParameterizedTest
  @CsvSource({"LEADER,LINK", "LEADER,TRAINER", "FOLLOWER,LINK", "FOLLOWER,TRAINER"})
  void shouldGoOnFromTheNewestCommonCheckpointWhenThePeerComesAgain(Role leaving, Wire wire) {
    Role staying = Trained.other(leaving);
    Trained survivor = site.party(staying, wire);
    Trained restarted = site.party(leaving, wire);
    try (Pair threads = Pair.open()) {
      Future<Float> surviving =
          threads.start(() -> survivor.train(Recovery.upTo(LIMIT), Trained::never));
      assertThrows(
          Trained.Left.class, () -> restarted.train(Recovery.upTo(LIMIT), Trained.leaveAt(5)));
      Future<Float> again =
          threads.start(() -> restarted.train(Recovery.upTo(LIMIT), Trained::never));
      assertEquals(Trained.EXPECTED, Pair.await(surviving));
      assertEquals(Trained.EXPECTED, Pair.await(again));
      assertEquals(List.of(0L, 4L), survivor.begins);
      assertEquals(List.of(0L, 4L), restarted.begins);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldFailWithTheReasonWhenThePeerDoesNotComeAgain(Role leaving) {
    Role staying = Trained.other(leaving);
    Trained survivor = site.party(staying);
    try (Pair threads = Pair.open()) {
      Recovery recovery = Recovery.upTo(Duration.ofSeconds(1));
      Future<Float> surviving = threads.start(() -> survivor.train(recovery, Trained::never));
      assertThrows(
          Trained.Left.class, () -> site.party(leaving).train(recovery, Trained.leaveAt(3)));
      CommunicatorException e = Pair.failure(surviving);
      assertTrue(e.reason().contains("has not come back within 1 s: start it again"), e.reason());
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldSaveNothingFreshOverWhatWasTrainedWhenThePeerDoesNotComeAgain(Role leaving) {
    Role staying = Trained.other(leaving);
    Recovery recovery = Recovery.upTo(Duration.ofSeconds(1));
    try (Pair threads = Pair.open()) {
      // The loss is met outside of a step, with one trained that isn't saved yet.
      Future<Float> surviving =
          threads.start(
              () ->
                  site.party(staying)
                      .train(
                          recovery,
                          (communicator, running) -> {
                            if (running.step() == 3) {
                              communicator.recvCkptVersion(running.session());
                            }
                          }));
      assertThrows(
          Trained.Left.class, () -> site.party(leaving).train(recovery, Trained.leaveAt(3)));
      CommunicatorException e = Pair.failure(surviving);
      assertTrue(e.reason().contains("has not come back within 1 s"), e.reason());
    }
    assertEquals(List.of("2"), site.versions(staying));
    for (Trained party : trainBoth()) {
      assertEquals(List.of(2L), party.begins);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"LINK", "TRAINER"})
  void shouldGoOnWhenAPartyIsStartedAgainAfterItsPeerStoodStill(Wire wire) {
    Trained leader = site.party(Role.LEADER, wire);
    leader.timeout = Duration.ofSeconds(10);
    Trained standing = site.party(Role.FOLLOWER, wire);
    try (Pair threads = Pair.open()) {
      Future<Float> following =
          threads.start(
              () ->
                  standing.train(
                      Recovery.upTo(LIMIT),
                      (communicator, running) -> {
                        while (standing.begins.size() == 1
                            && running.step() == 5
                            && communicator.state() != PeerState.IDLE) {
                          LockSupport.parkNanos(1_000_000);
                        }
                      }));
      // The peer is there all the while: that isn't a loss, and the leader ends.
      CommunicatorException overdue =
          Pair.failure(threads.start(() -> leader.train(Recovery.upTo(LIMIT), Trained::never)));
      assertEquals(Code.DEADLINE_EXCEEDED, overdue.code());
      Trained again = site.party(Role.LEADER, wire);
      assertEquals(Trained.EXPECTED, again.train(Recovery.upTo(LIMIT), Trained::never));
      assertEquals(Trained.EXPECTED, Pair.await(following));
      assertEquals(List.of(4L), again.begins);
      assertEquals(List.of(0L, 4L), standing.begins);
    }
  }

  @Test
  void shouldEndAsBeforeWithoutARecovery() {
    Trained survivor = site.party(Role.FOLLOWER);
    try (Pair threads = Pair.open()) {
      Future<Float> surviving =
          threads.start(() -> survivor.train(Recovery.none(), Trained::never));
      assertThrows(
          Trained.Left.class,
          () -> site.party(Role.LEADER).train(Recovery.none(), Trained.leaveAt(3)));
      Code code = Pair.failure(surviving).code();
      assertTrue(code == Code.UNAVAILABLE || code == Code.CANCELLED, code.toString());
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldHaveNothingLeftToDoWhenBothHaveSavedTheLast(Role alone) {
    trainBoth();
    Trained again = site.party(alone);
    AlreadyTrainedException e =
        assertThrows(
            AlreadyTrainedException.class,
            () -> again.train(Recovery.upTo(Duration.ofSeconds(1)), Trained::never));
    assertTrue(e.getMessage().startsWith("Both parties have trained to the end"), e.getMessage());
    assertEquals(List.of(), again.begins);
  }

  @Test
  void shouldSayThatThePeersLastCheckpointIsNotKnown() throws IOException {
    trainBoth();
    Files.writeString(
        folder.resolve("LEADER").resolve("finished"), Integer.toString(Trained.STEPS));
    AlreadyTrainedException e =
        assertThrows(
            AlreadyTrainedException.class,
            () ->
                site.party(Role.LEADER)
                    .train(Recovery.upTo(Duration.ofSeconds(1)), Trained::never));
    assertTrue(e.getMessage().contains("whether the peer has is not known"), e.getMessage());
  }

  @Test
  void shouldTrainTheEndAgainWhenOnePartyHasLostTheLast() throws IOException {
    trainBoth();
    Files.writeString(folder.resolve("FOLLOWER/7/variables.index"), "cut off");
    List<Trained> parties = trainBoth();
    assertEquals(List.of(6L), parties.get(0).begins);
    assertEquals(List.of(6L), parties.get(1).begins);
  }

  @ParameterizedTest
  @EnumSource
  void shouldNotBeDoneWhenThePeerLeavesPastAnEarlierEnd(Role leaving) {
    trainBoth();
    Trained survivor = longer(Trained.other(leaving));
    Trained left = longer(leaving);
    AtomicLong reached = new AtomicLong();
    try (Pair threads = Pair.open()) {
      Future<Float> surviving =
          threads.start(
              () ->
                  survivor.train(
                      Recovery.upTo(Duration.ofSeconds(1)),
                      (communicator, running) -> reached.set(running.step())));
      assertThrows(
          Trained.Left.class,
          () ->
              left.train(
                  Recovery.upTo(LIMIT),
                  (communicator, running) -> {
                    if (running.step() > Trained.STEPS) {
                      while (reached.get() <= Trained.STEPS && !surviving.isDone()) {
                        LockSupport.parkNanos(1_000_000);
                      }
                      throw new Trained.Left();
                    }
                  }));
      CommunicatorException e = Pair.failure(surviving);
      assertTrue(e.reason().contains("has not come back within 1 s"), e.reason());
    }
  }

  /** Trains past the end of the others, and saves nothing on the way. */
  private Trained longer(Role role) {
    Trained party = site.party(role);
    party.steps = Trained.STEPS + 3;
    party.saveEvery = 0;
    return party;
  }

  private List<Trained> trainBoth() {
    Trained leader = site.party(Role.LEADER);
    Trained follower = site.party(Role.FOLLOWER);
    try (Pair threads = Pair.open()) {
      Future<Float> leading =
          threads.start(() -> leader.train(Recovery.upTo(LIMIT), Trained::never));
      assertEquals(Trained.EXPECTED, follower.train(Recovery.upTo(LIMIT), Trained::never));
      assertEquals(Trained.EXPECTED, Pair.await(leading));
    }
    return List.of(leader, follower);
  }

  @Test
  void shouldRefuseARecoveryWithoutCheckpoints() {
    try (Party party = site.party(Role.LEADER).open()) {
      IllegalStateException e =
          assertThrows(
              IllegalStateException.class,
              () ->
                  TrainingSession.builder(party.graph)
                      .hook(party.communicator.hook())
                      .recovery(Recovery.upTo(LIMIT))
                      .build());
      assertTrue(e.getMessage().contains("needs a communicator's hook and a CheckpointHook"));
    }
  }

  @Test
  void shouldRefuseARecoveryWithTwoCommunicators() {
    try (Pair pair = Pair.open()) {
      TrainingSession.Builder session =
          TrainingSession.builder(pair.leader.graph)
              .hook(pair.leader.communicator.hook())
              .hook(pair.follower.communicator.hook())
              .hook(CheckpointHook.builder(folder).communicator(pair.leader.communicator).build())
              .recovery(Recovery.upTo(LIMIT));
      IllegalStateException e = assertThrows(IllegalStateException.class, session::build);
      assertTrue(e.getMessage().contains("this session has 2"), e.getMessage());
    }
  }
}
