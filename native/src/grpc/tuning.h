// What is said to gRPC of every connection, at both ends, so that chunks flow. Measured with
// native/bench; what isn't here is gRPC's own and better so (native/bench/TUNING.md).
#pragma once

#include "grpc/impl/codegen/grpc_types.h"

namespace efl {

// `set`: takes the name of a channel argument and its value.
template <typename SetInt>
void TuneConnection(SetInt set) {
  // A chunk and what goes with it in one frame of HTTP/2, not in a hundred.
  set(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 2 << 20);
}

}  // namespace efl
