package org.efl.nativelib;

import java.io.File;
import java.io.IOException;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import org.bytedeco.javacpp.Loader;

/**
 * Loads the native libraries that this jar carries. Nothing has to be on {@code java.library.path}.
 *
 * <p>The libraries refer to each other by their own folder, so all of them are unpacked into one
 * folder of JavaCPP's cache before the first is loaded; from unpacked classes they are loaded where
 * they are. All methods may be called from any thread.
 */
public final class Natives {
  private static final String KERNEL = "libefl.so";
  private static final String TENSORFLOW = "libefl_tensorflow.so";

  private Natives() {}

  /**
   * Loads the kernel and its binding {@link Efl}, once; later calls do nothing.
   *
   * @throws UnsatisfiedLinkError naming the platform and what is missing
   */
  public static void load() {
    Loaded.folder();
  }

  /**
   * Loads the kernel and returns where the library of TensorFlow ops is, ready for {@code
   * TensorFlow.loadLibrary}.
   *
   * @throws UnsatisfiedLinkError when this jar has none for the platform, or the kernel does not
   *     load
   */
  public static Path tensorflowLibrary() {
    Path library = Loaded.folder().resolve(TENSORFLOW);
    if (!Files.isRegularFile(library)) {
      throw missing(TENSORFLOW);
    }
    return library;
  }

  /** Holds the outcome of the one attempt, so that a failure reads the same each time. */
  private static final class Loaded {
    private static final Path FOLDER;
    private static final UnsatisfiedLinkError FAILURE;

    static {
      Path folder = null;
      UnsatisfiedLinkError failure = null;
      try {
        folder = unpack();
        Loader.load(Efl.class);
      } catch (UnsatisfiedLinkError e) {
        failure = e;
      } catch (IOException | URISyntaxException | RuntimeException | LinkageError e) {
        failure = failed(e);
      }
      FOLDER = folder;
      FAILURE = failure;
    }

    static Path folder() {
      if (FAILURE != null) {
        UnsatisfiedLinkError again = new UnsatisfiedLinkError(FAILURE.getMessage());
        again.initCause(FAILURE);
        throw again;
      }
      return FOLDER;
    }
  }

  private static Path unpack() throws IOException, URISyntaxException {
    URL kernel = Natives.class.getResource(Loader.getPlatform() + "/" + KERNEL);
    if (kernel == null) {
      throw missing(KERNEL);
    }
    if (kernel.openConnection() instanceof JarURLConnection packed) {
      return unpack(packed);
    }
    return Path.of(kernel.toURI()).getParent();
  }

  /**
   * Each file on its own: given a folder, JavaCPP would write over libraries that another process
   * has loaded.
   */
  private static Path unpack(JarURLConnection kernel) throws IOException {
    String folder = kernel.getEntryName().substring(0, kernel.getEntryName().lastIndexOf('/') + 1);
    List<String> libraries =
        kernel.getJarFile().stream()
            .filter(entry -> !entry.isDirectory())
            .map(JarEntry::getName)
            .filter(name -> name.startsWith(folder))
            .toList();
    Path unpacked = null;
    for (String library : libraries) {
      File file = Loader.cacheResource(Natives.class.getResource("/" + library));
      unpacked = file.toPath().getParent();
    }
    return unpacked;
  }

  private static UnsatisfiedLinkError missing(String library) {
    return new UnsatisfiedLinkError(
        "efl-native carries no " + library + " for the platform " + Loader.getPlatform());
  }

  private static UnsatisfiedLinkError failed(Throwable cause) {
    UnsatisfiedLinkError error =
        new UnsatisfiedLinkError(
            "The communicator's native libraries for the platform "
                + Loader.getPlatform()
                + " do not load: "
                + cause.getMessage());
    error.initCause(cause);
    return error;
  }
}
