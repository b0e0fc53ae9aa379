package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Future;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.types.TFloat32;

/** Ops of a party whose communicator has an egress policy and an audit ledger. */
@Timeout(60)
class GovernanceTest {
  @TempDir Path folder;

  @Test
  void shouldFailTheOpsOfBothPartiesWhenAPolicyDenies() throws Exception {
    Path policy =
        Files.writeString(
            folder.resolve("policy.json"),
            "{\"version\": 1, \"default\": \"allow\", \"rules\": ["
                + "{\"id\": \"no-labels\", \"action\": \"deny\", \"names\": [\"label*\"]}]}");
    Path ledger = folder.resolve("audit.jsonl");
    try (Pair pair =
        Pair.open(leader -> leader.egressPolicy(policy).auditLog(ledger), follower -> follower)) {
      Op send = pair.leader.send("labels", pair.leader.tf.constant(new float[] {1, 2}));
      Operand<TFloat32> receive = pair.follower.communicator.recv(pair.follower.tf, "labels");
      pair.connect();
      Future<?> receiving = pair.start(() -> pair.follower.fetch(receive));
      CommunicatorException sent = Pair.failure(pair.start(() -> pair.leader.run(send)));
      assertEquals(Code.PERMISSION_DENIED, sent.code());
      assertTrue(sent.reason().contains("rules[0] 'no-labels' of " + policy), sent.reason());
      assertEquals(Code.PERMISSION_DENIED, Pair.failure(receiving).code());
    }
    assertTrue(Files.readString(ledger).contains("\"event\":\"denied\""));
  }
}
