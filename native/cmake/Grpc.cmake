# gRPC linked statically. What is below it, and isn't built position-independent or belongs to the system, is linked
# dynamically, protobuf too: its archive uses a thread-local model that a shared library can't have.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
pkg_check_modules(GRPCPP REQUIRED grpc++>=1.51)

# Under a sanitizer dynamically too: it can tell a library that isn't instrumented by its file alone.
if(EFL_SANITIZE)
  set(suffix so)
else()
  set(suffix a)
endif()
set(EFL_GRPC_LIBRARIES)
foreach(name grpc++ grpc gpr upb address_sorting)
  find_library(EFL_LIB_${name} lib${name}.${suffix} REQUIRED)
  list(APPEND EFL_GRPC_LIBRARIES ${EFL_LIB_${name}})
endforeach()
set(EFL_BELOW_GRPC ${GRPCPP_STATIC_LIBRARIES})
list(REMOVE_ITEM EFL_BELOW_GRPC grpc++ grpc gpr upb address_sorting ssl crypto dl pthread)
list(REMOVE_DUPLICATES EFL_BELOW_GRPC)

add_library(efl_grpc INTERFACE)
target_link_libraries(efl_grpc INTERFACE
  -Wl,--start-group ${EFL_GRPC_LIBRARIES} -Wl,--end-group protobuf ${EFL_BELOW_GRPC}
  OpenSSL::SSL OpenSSL::Crypto Threads::Threads ${CMAKE_DL_LIBS})
