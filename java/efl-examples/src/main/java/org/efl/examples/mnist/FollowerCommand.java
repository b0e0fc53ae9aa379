package org.efl.examples.mnist;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.efl.communicator.Role;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
    name = "follower",
    mixinStandardHelpOptions = true,
    description = "Trains as the party with the right half of the images, as the leader leads.")
final class FollowerCommand implements Callable<Integer> {
  @Mixin private PartyOptions party;

  @Override
  public Integer call() throws IOException {
    party.run(Role.FOLLOWER, (setup, wire) -> new Follower(setup).run(wire));
    return 0;
  }
}
