package org.efl.examples.mnist;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.efl.tensorflow.ModelDigest;

/**
 * One training of a pair of processes, which are killed at random moments and started again until
 * both have ended well.
 */
final class ChaosRun {
  private static final int EPOCHS = 5;
  private static final int BATCH = 32;
  private static final long CHECKPOINT_EVERY = 10;
  private static final long TIMEOUT_S = 40;
  private static final Duration MOMENT_LIMIT = Duration.ofSeconds(20);

  /** Longer than the parties' own timeouts: whoever takes longer hangs. */
  private static final Duration RUN_LIMIT = Duration.ofSeconds(5 * TIMEOUT_S);

  /**
   * What came of it.
   *
   * @param leaderModel its digest, "" when there is none; as {@code followerModel}
   */
  record Outcome(
      int kills,
      boolean hung,
      long steps,
      List<String> failures,
      String leaderModel,
      String followerModel) {
    boolean sameModels(Outcome other) {
      return !leaderModel.isEmpty()
          && !followerModel.isEmpty()
          && leaderModel.equals(other.leaderModel)
          && followerModel.equals(other.followerModel);
    }
  }

  private final PartyProcess leader;
  private final PartyProcess follower;
  private final Random random;
  private final PrintStream out;
  private final List<String> failures = new ArrayList<>();
  private int kills;

  /**
   * Prepares a run.
   *
   * @param addresses of leader and follower
   * @param folder an empty one, for checkpoints and logs
   */
  ChaosRun(Path data, Path folder, String[] addresses, Random random, PrintStream out)
      throws IOException {
    Files.createDirectories(folder);
    leader = party("leader", data, folder, addresses[0], addresses[1], "--epochs", "" + EPOCHS);
    follower = party("follower", data, folder, addresses[1], addresses[0]);
    this.random = random;
    this.out = out;
  }

  private static PartyProcess party(
      String name, Path data, Path folder, String local, String peer, String... more) {
    List<String> options =
        new ArrayList<>(List.of("--data", data.toString(), "--batch", "" + BATCH));
    options.addAll(List.of("--local", local, "--peer", peer, "--timeout", "" + TIMEOUT_S));
    options.addAll(List.of("--checkpoint-every", "" + CHECKPOINT_EVERY));
    options.addAll(List.of(more));
    return new PartyProcess(name, folder, options);
  }

  /**
   * Trains.
   *
   * @param wanted how many kills at most
   * @param steps of the whole training
   */
  Outcome run(int wanted, long steps) throws IOException, InterruptedException {
    try {
      leader.start();
      follower.start();
      while (kills < wanted && !leader.done() && !follower.done()) {
        killOnce(steps / CHECKPOINT_EVERY * CHECKPOINT_EVERY);
      }
      boolean ended = awaitEnd();
      return new Outcome(
          kills,
          !ended,
          leader.saved(),
          List.copyOf(failures),
          ModelDigest.sha256(leader.checkpoints()),
          ModelDigest.sha256(follower.checkpoints()));
    } finally {
      leader.kill();
      follower.kill();
    }
  }

  private void killOnce(long lastCheckpoint) throws IOException, InterruptedException {
    List<PartyProcess> victims = new ArrayList<>(List.of(leader, follower));
    Collections.shuffle(victims, random);
    if (random.nextInt(8) > 0) {
      victims.remove(1);
    }
    KillMoment moment = KillMoment.any(random);
    await(moment, victims.get(0), lastCheckpoint);
    victims.removeIf(victim -> !victim.runs());
    for (PartyProcess victim : victims) {
      victim.kill();
      // It may have ended on its own an instant before.
      if (!victim.done()) {
        kills++;
      }
    }
    say(moment, victims);
    Thread.sleep(random.nextInt(800));
    startAgain();
  }

  private void await(KillMoment moment, PartyProcess victim, long lastCheckpoint)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + MOMENT_LIMIT.toNanos();
    while (victim.runs() && !moment.hasCome(victim, lastCheckpoint) && System.nanoTime() < end) {
      Thread.sleep(1);
      startAgain();
    }
    Thread.sleep(moment.delayMs(random));
  }

  /** What has ended otherwise than well: killed, or, which counts as a failure, on its own. */
  private void startAgain() throws IOException {
    List<PartyProcess> parties = new ArrayList<>(List.of(leader, follower));
    Collections.shuffle(parties, random);
    for (PartyProcess party : parties) {
      if (!party.runs() && !party.done()) {
        if (party.exitValue() != PartyProcess.KILLED) {
          failures.add(party.name() + " ended with " + party.exitValue() + ", see " + party.log());
          out.println(failures.get(failures.size() - 1));
        }
        party.start();
      }
    }
  }

  private boolean awaitEnd() throws IOException, InterruptedException {
    long end = System.nanoTime() + RUN_LIMIT.toNanos();
    while (!(leader.done() && follower.done())) {
      if (System.nanoTime() > end) {
        return false;
      }
      Thread.sleep(20);
      startAgain();
    }
    return true;
  }

  private void say(KillMoment moment, List<PartyProcess> victims) {
    List<String> names = victims.stream().map(PartyProcess::name).toList();
    out.println(
        "kill "
            + kills
            + ": "
            + (names.isEmpty() ? "too late" : String.join(" and ", names))
            + ", "
            + moment.name().toLowerCase(Locale.ROOT));
  }
}
