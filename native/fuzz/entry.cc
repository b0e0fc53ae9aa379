// libFuzzer's way into the target that this is compiled for.
#include <google/protobuf/stubs/logging.h>

#include "fuzz/targets.h"

// What protobuf says of each broken message on standard error is of no use here.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  google::protobuf::SetLogHandler(nullptr);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  efl::fuzz::EFL_FUZZ_TARGET(data, size);
  return 0;
}
