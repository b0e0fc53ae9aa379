# C++ from proto/, as objects.
find_program(PROTOC protoc REQUIRED)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
set(PROTO_ROOT ${PROJECT_SOURCE_DIR}/proto)
set(PROTO_OUT ${CMAKE_BINARY_DIR}/proto)
file(MAKE_DIRECTORY ${PROTO_OUT})

set(PROTO_SOURCES)
function(efl_proto path services)
  set(out ${PROTO_OUT}/${path}.pb.cc)
  set(command ${PROTOC} -I ${PROTO_ROOT} --cpp_out=${PROTO_OUT})
  if(services)
    list(APPEND out ${PROTO_OUT}/${path}.grpc.pb.cc)
    list(APPEND command --grpc_out=${PROTO_OUT} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
  endif()
  add_custom_command(OUTPUT ${out} COMMAND ${command} ${PROTO_ROOT}/${path}.proto
                     DEPENDS ${PROTO_ROOT}/${path}.proto VERBATIM)
  set(PROTO_SOURCES ${PROTO_SOURCES} ${out} PARENT_SCOPE)
endfunction()

efl_proto(tensorflow/core/framework/tensor OFF)
efl_proto(tensorflow/core/lib/core/error_codes OFF)
efl_proto(efl/trainer_service ON)
efl_proto(efl/pair_service ON)
efl_proto(efl/link_service ON)

add_library(efl_protos OBJECT ${PROTO_SOURCES})
target_include_directories(efl_protos SYSTEM PUBLIC ${PROTO_OUT})
target_link_libraries(efl_protos PUBLIC efl_grpc)
