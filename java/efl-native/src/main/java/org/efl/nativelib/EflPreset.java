package org.efl.nativelib;

import org.bytedeco.javacpp.annotation.NoException;
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
 * <p>{@code NoException}: the kernel throws nothing across its C boundary, and a callback must
 * catch every {@code Throwable} itself.
 */
@Properties(
    value = @Platform(value = "linux", include = "efl/efl.h", link = "efl", library = "jniefl"),
    target = "org.efl.nativelib.Efl")
@NoException
public class EflPreset implements InfoMapper {

  @Override
  public void map(InfoMap infoMap) {
    infoMap.put(new Info("EFL_EXPORT").cppTypes().annotations());
    infoMap.put(new Info("defined(__GNUC__)").define(true));
    infoMap.put(new Info("__cplusplus").define(false));
    for (String handle : new String[] {"efl_status", "efl_options", "efl_node", "efl_peer"}) {
      infoMap.put(new Info(handle).pointerTypes(handle));
    }
  }
}
