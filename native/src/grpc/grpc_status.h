// gRPC's statuses as ours, and the reverse.
#pragma once

#include "base/status.h"
#include "grpcpp/support/status.h"

namespace efl {

// For the other party: with what it may learn.
inline grpc::Status ToGrpc(const Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), status.told()};
}

inline Status FromGrpc(const grpc::Status& status) {
  return {CodeFromNumber(status.error_code()), status.error_message()};
}

}  // namespace efl
