package org.efl.examples.mnist;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.efl.communicator.Role;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "leader",
    mixinStandardHelpOptions = true,
    description = "Trains as the party with the labels and the left half of the images.")
final class LeaderCommand implements Callable<Integer> {
  @Mixin private PartyOptions party;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "5",
      description = "How often to go through the training data (default: ${DEFAULT-VALUE}).")
  private int epochs;

  @Override
  public Integer call() throws IOException {
    party.run(Role.LEADER, (setup, wire) -> new Leader(setup).run(epochs, wire));
    return 0;
  }
}
