// Small protobuf messages as gRPC's bytes, and gRPC's statuses as ours.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/utf8.h"
#include "google/protobuf/message.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"

namespace efl {

template <typename Message>
grpc::ByteBuffer Encode(const Message& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  grpc::SerializationTraits<Message>::Serialize(message, &bytes, &own);
  return bytes;
}

// Leaves the bytes as they are.
template <typename Message>
bool Decode(grpc::ByteBuffer* bytes, Message* message) {
  grpc::ProtoBufferReader reader(bytes);
  return reader.status().ok() && message->ParseFromZeroCopyStream(&reader);
}

// An application status as it travels inside an answer.
template <typename Response>
void SetOutcome(const Status& status, Response* response) {
  response->set_code(static_cast<tensorflow::error::Code>(status.code()));
  response->set_msg(status.told());
}

template <typename Response>
Status OutcomeOf(const Response& response) {
  // It is kept, quoted and logged.
  constexpr size_t kLongest = 4096;
  return {CodeFromNumber(response.code()), Utf8Prefix(response.msg(), kLongest)};
}

inline Status FromGrpc(const grpc::Status& status) {
  return {CodeFromNumber(status.error_code()), status.error_message()};
}

}  // namespace efl
