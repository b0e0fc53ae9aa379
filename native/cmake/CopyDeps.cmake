# Copies the shared libraries that LIBRARY needs, and a plain system may lack, to the folder INTO. What every Debian and
# Ubuntu with OpenSSL 3 has (libc, libstdc++, libz, libssl, libcrypto) stays the system's.
file(REMOVE_RECURSE ${INTO})
file(MAKE_DIRECTORY ${INTO})
file(GET_RUNTIME_DEPENDENCIES LIBRARIES ${LIBRARY} RESOLVED_DEPENDENCIES_VAR found)
foreach(path ${found})
  get_filename_component(name ${path} NAME)
  if(name MATCHES "^lib(absl|cares|isal|protobuf|re2|zstd)")
    file(REAL_PATH ${path} content)
    file(COPY_FILE ${content} ${INTO}/${name})
  endif()
endforeach()
