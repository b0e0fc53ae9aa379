package org.efl.tensorflow;

import java.util.Set;
import java.util.TreeSet;
import org.efl.nativelib.Natives;
import org.tensorflow.TensorFlow;
import org.tensorflow.proto.OpList;

/** Loads the ops into TensorFlow, once. */
final class OpLibrary {
  private static final Set<String> OPS =
      Set.of(
          "EflSendTensor",
          "EflRecvTensor",
          "EflSendReaderState",
          "EflRecvReaderState",
          "EflTerminateReader",
          "EflSendCheckpointVersion",
          "EflRecvCheckpointVersion",
          "EflAddStep",
          "EflConnectAsLeader",
          "EflConnectAsFollower",
          "EflCloseConnection");

  private static boolean loaded;

  private OpLibrary() {}

  /** The kernel and TensorFlow come first: the ops' library finds both among what is loaded. */
  static synchronized void load() {
    if (!loaded) {
      String library = Natives.tensorflowLibrary().toString();
      TensorFlow.version();
      checkComplete(TensorFlow.loadLibrary(library));
      loaded = true;
    }
  }

  private static void checkComplete(OpList found) {
    Set<String> missing = new TreeSet<>(OPS);
    found.getOpList().forEach(op -> missing.remove(op.getName()));
    if (!missing.isEmpty()) {
      throw new IllegalStateException("TensorFlow did not take the ops " + missing + ".");
    }
  }
}
