package org.efl.examples.mnist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

@Timeout(180)
class MnistTest {
  @TempDir Path folder;

  private String path(String name) {
    return folder.resolve(name).toString();
  }

  private CompletableFuture<Integer> start(String... args) {
    return CompletableFuture.supplyAsync(() -> Mnist.run(args), task -> new Thread(task).start());
  }

  /** Drawn images, so it also shows that the follower's half of them helps. */
  @Test
  void shouldPrepareTrainAndReport() throws Exception {
    String data = path("data");
    assertEquals(0, Mnist.run("prepare", "--output", data, "--count", "3000", "--files", "3"));
    String[] ports = FreePortsCommand.addresses();
    CompletableFuture<Integer> leader =
        start(
            "leader",
            "--data",
            data,
            "--batch",
            "64",
            "--epochs",
            "3",
            "--timeout",
            "60",
            "--local",
            ports[0],
            "--peer",
            ports[1],
            "--json",
            path("leader.json"));
    CompletableFuture<Integer> follower =
        start(
            "follower",
            "--data",
            data,
            "--batch",
            "64",
            "--timeout",
            "60",
            "--local",
            ports[1],
            "--peer",
            ports[0],
            "--json",
            path("follower.json"));
    assertEquals(0, leader.get());
    assertEquals(0, follower.get());
    for (String kind : new String[] {"pooled", "leader-only"}) {
      String json = path(kind + ".json");
      assertEquals(
          0, Mnist.run(kind, "--data", data, "--batch", "64", "--epochs", "3", "--json", json));
    }
    assertEquals(
        0,
        Mnist.run(
            "report",
            "--pair",
            path("leader.json"),
            "--follower",
            path("follower.json"),
            "--pooled",
            path("pooled.json"),
            "--leader-only",
            path("leader-only.json"),
            "--json",
            path("report.json")));
    check(Json.read(folder.resolve("report.json"), JsonNode.class));
  }

  private static void check(JsonNode report) {
    assertEquals(117, report.get("steps").asInt());
    assertTrue(report.get("steps_per_s").asDouble() > 0);
    double accuracy = report.get("test_accuracy").asDouble();
    assertTrue(accuracy >= 0.9, "accuracy " + accuracy);
    assertTrue(accuracy > report.get("leader_only_test_accuracy").asDouble() + 0.03);
    assertEquals(report.get("pooled_test_accuracy").asDouble(), accuracy, 0.005);
    assertTrue(report.get("max_loss_gap").asDouble() <= 1e-4);
    assertEquals(false, report.get("tls").asBoolean());
    assertTrue(report.get("leader_model_sha256").asString().matches("[0-9a-f]{64}"));
    assertTrue(report.get("follower_model_sha256").asString().matches("[0-9a-f]{64}"));
    assertEquals(9, report.size());
  }

  @Test
  void shouldTellWrongUsageFromFailure() {
    assertEquals(2, Mnist.run("leader"));
    assertEquals(2, Mnist.run("nothing"));
    assertEquals(0, Mnist.run("leader", "--help"));
    assertEquals(1, Mnist.run("pooled", "--data", path("none")));
    assertEquals(1, Mnist.run("prepare", "--output", path("x"), "--images", path("none")));
  }
}
