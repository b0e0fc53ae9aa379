package org.efl.nativelib;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * How JavaCPP reads {@code efl.h}. The binding {@code org.efl.nativelib.Efl} is generated from it
 * by the build: handles become opaque pointer types, callbacks {@code FunctionPointer} types, all
 * under their C names.
 *
 * <p>Not {@code NoException}, although the kernel throws nothing across its C boundary: JavaCPP
 * would leave out the check for a Java exception after each callback, which {@code -Xcheck:jni}
 * rightly reports. Callbacks must catch every {@code Throwable} all the same.
 */
@Properties(
    value = @Platform(value = "linux", include = "efl/efl.h", link = "efl", library = "jniefl"),
    target = "org.efl.nativelib.Efl")
public class EflPreset implements InfoMapper {
  /**
   * As JavaCPP would generate it, but for the address as a plain number. A callback that returns an
   * object leaves a local reference behind, and a thread of the kernel never returns to Java, which
   * would free it: the memory of each tensor received would stay reachable.
   */
  private static final String ALLOCATE_FN =
      """
      public static class efl_allocate_fn extends FunctionPointer {
          static { Loader.load(); }
          public efl_allocate_fn(Pointer p) { super(p); }
          protected efl_allocate_fn() { allocate(); }
          private native void allocate();
          public native @Cast("void*") long call(@Cast("void*") long token, @Const efl_tensor tensor);
      }
      """;

  /**
   * As JavaCPP would generate it, but for the addresses as plain numbers: for each pointer it would
   * make an object with two calls into the JVM, at the end of every operation.
   */
  private static final String DONE_FN =
      """
      public static class efl_done_fn extends FunctionPointer {
          static { Loader.load(); }
          public efl_done_fn(Pointer p) { super(p); }
          protected efl_done_fn() { allocate(); }
          private native void allocate();
          public native void call(@Cast("void*") long token,
              @Cast("const efl_status*") long status, @Cast("const efl_result*") long result);
      }
      """;

  @Override
  public void map(InfoMap infoMap) {
    infoMap.put(new Info("EFL_EXPORT").cppTypes().annotations());
    infoMap.put(new Info("defined(__GNUC__)").define(true));
    infoMap.put(new Info("__cplusplus").define(false));
    for (String handle : new String[] {"efl_status", "efl_options", "efl_node", "efl_peer"}) {
      infoMap.put(new Info(handle).pointerTypes(handle));
    }
    infoMap.put(new Info("efl_done_fn").valueTypes("efl_done_fn").javaText(DONE_FN));
    infoMap.put(new Info("efl_allocate_fn").valueTypes("efl_allocate_fn").javaText(ALLOCATE_FN));
  }
}
