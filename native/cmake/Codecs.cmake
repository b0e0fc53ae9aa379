# Checksums in hardware, and compression.
find_library(EFL_LIB_ISAL isal REQUIRED)
find_library(EFL_LIB_ZSTD zstd REQUIRED)
add_library(efl_codecs INTERFACE)
target_link_libraries(efl_codecs INTERFACE ${EFL_LIB_ISAL} ${EFL_LIB_ZSTD})
