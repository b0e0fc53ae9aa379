package org.efl.tensorflow;

import org.efl.nativelib.Natives;
import org.tensorflow.TensorFlow;

/** Loads the ops into TensorFlow, once. */
final class OpLibrary {
  private static boolean loaded;

  private OpLibrary() {}

  /** The kernel and TensorFlow come first: the ops' library finds both among what is loaded. */
  static synchronized void load() {
    if (!loaded) {
      String library = Natives.tensorflowLibrary().toString();
      TensorFlow.version();
      TensorFlow.loadLibrary(library);
      loaded = true;
    }
  }
}
