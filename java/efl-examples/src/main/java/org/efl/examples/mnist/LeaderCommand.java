package org.efl.examples.mnist;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.efl.communicator.Role;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
    name = "leader",
    mixinStandardHelpOptions = true,
    description = "Trains as the party with the labels and the left half of the images.")
final class LeaderCommand implements Callable<Integer> {
  @Mixin private PartyOptions party;

  @Mixin private EpochsOption length;

  @Override
  public Integer call() throws IOException {
    party.run(Role.LEADER, (setup, wire) -> new Leader(setup).run(length.epochs, wire));
    return 0;
  }
}
