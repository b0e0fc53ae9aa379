// Points in time for gRPC that a step of the wall clock doesn't move.
#pragma once

#include <cstdint>

#include "grpc/support/time.h"

namespace efl {

inline gpr_timespec SteadyTimeAfter(int64_t ms) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

}  // namespace efl
