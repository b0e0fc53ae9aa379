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
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.efl.tensorflow.ModelDigest;

/**
 * One training of a pair of processes, which are killed at random moments, or find their disk full,
 * and are started again until both have ended well.
 */
final class ChaosRun {
  private static final int EPOCHS = 5;
  private static final int BATCH = 32;
  private static final long CHECKPOINT_EVERY = 10;
  private static final long TIMEOUT_S = 40;
  private static final int KILLS_PER_FULL_DISK = 8;
  private static final Duration MOMENT_LIMIT = Duration.ofSeconds(20);

  /** Longer than the parties' own timeouts: whoever takes longer hangs. */
  private static final Duration RUN_LIMIT = Duration.ofSeconds(5 * TIMEOUT_S);

  /**
   * What came of it.
   *
   * @param fullDisks how often a party has ended because its disk was full
   * @param leaderModel its digest, "" when there is none; as {@code followerModel}
   */
  record Outcome(
      int kills,
      int fullDisks,
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
  private final Optional<SmallDisk> disk;
  private final Path folder;
  private final Path checkpoints;
  private final Random random;
  private final PrintStream out;
  private final List<String> failures = new ArrayList<>();
  private int kills;
  private int fullDisks;

  /**
   * Prepares a run.
   *
   * @param folder an empty one, for logs and, without a disk, checkpoints
   * @param disk where a folder of these two names is for checkpoints; it is filled up now and then
   * @param addresses of leader and follower
   */
  ChaosRun(
      Path data,
      Path folder,
      Optional<SmallDisk> disk,
      String[] addresses,
      Random random,
      PrintStream out)
      throws IOException {
    Files.createDirectories(folder);
    this.folder = folder;
    checkpoints =
        disk.map(small -> small.folder().resolve(folder.getParent().getFileName()))
            .map(unique -> unique.resolve(folder.getFileName()))
            .orElse(folder);
    List<String> epochs = List.of("--epochs", "" + EPOCHS);
    leader =
        new PartyProcess(
            "leader", checkpoints, folder, options(data, addresses[0], addresses[1], epochs));
    follower =
        new PartyProcess(
            "follower", checkpoints, folder, options(data, addresses[1], addresses[0], List.of()));
    this.disk = disk;
    this.random = random;
    this.out = out;
  }

  private static List<String> options(Path data, String local, String peer, List<String> more) {
    List<String> options =
        new ArrayList<>(List.of("--data", data.toString(), "--batch", "" + BATCH));
    options.addAll(List.of("--local", local, "--peer", peer, "--timeout", "" + TIMEOUT_S));
    options.addAll(List.of("--checkpoint-every", "" + CHECKPOINT_EVERY));
    options.addAll(more);
    return options;
  }

  /**
   * Trains.
   *
   * @param wanted how many kills at most
   * @param steps of the whole training
   * @param fillsFirst whether it begins with a full disk, not with whatever chance has it begin
   */
  Outcome run(int wanted, long steps, boolean fillsFirst) throws IOException, InterruptedException {
    try {
      leader.start();
      follower.start();
      boolean fills = fillsFirst;
      while (kills < wanted && !leader.done() && !follower.done()) {
        if (disk.isPresent() && (fills || random.nextInt(KILLS_PER_FULL_DISK) == 0)) {
          fillOnce(disk.get(), fills ? KillMoment.STARTING : KillMoment.TRAINING);
          fills = false;
        } else {
          killOnce(steps / CHECKPOINT_EVERY * CHECKPOINT_EVERY);
        }
      }
      boolean ended = awaitEnd();
      return new Outcome(
          kills,
          fullDisks,
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

  /** Makes room on the disk, if there is one; what is to be looked at goes to the folder. */
  void leaveDisk(boolean keep) throws IOException {
    if (disk.isEmpty() || Files.notExists(checkpoints)) {
      return;
    }
    if (keep) {
      try (Stream<Path> paths = Files.walk(checkpoints)) {
        for (Path path : paths.toList()) {
          Files.copy(path, folder.resolve("checkpoints").resolve(checkpoints.relativize(path)));
        }
      }
    }
    PartyOptions.remove(checkpoints);
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

  /** Until one can't save a checkpoint and ends; the other one may too. */
  private void fillOnce(SmallDisk small, KillMoment moment)
      throws IOException, InterruptedException {
    Thread.sleep(moment.delayMs(random));
    long end = System.nanoTime() + MOMENT_LIMIT.toNanos();
    try {
      while (leader.runs() && follower.runs() && System.nanoTime() < end) {
        small.fill();
        Thread.sleep(1);
      }
    } finally {
      small.clear();
    }
    Thread.sleep(random.nextInt(800));
    startAgain();
  }

  /**
   * What has ended otherwise than well: killed, for its disk was full or, which counts as a
   * failure, for another reason of its own.
   */
  private void startAgain() throws IOException {
    List<PartyProcess> parties = new ArrayList<>(List.of(leader, follower));
    Collections.shuffle(parties, random);
    for (PartyProcess party : parties) {
      if (!party.runs() && !party.done()) {
        int exit = party.exitValue();
        if (exit == PartyProcess.FAILED && disk.isPresent() && party.saidThatItsDiskIsFull()) {
          out.println("full disk " + ++fullDisks + ": " + party.name());
        } else if (exit != PartyProcess.KILLED) {
          failures.add(party.name() + " ended with " + exit + ", see " + party.log());
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
