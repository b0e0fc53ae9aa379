// Small protobuf messages as gRPC's bytes, and what they say of an outcome.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/utf8.h"
#include "google/protobuf/message.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/byte_buffer.h"

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

// Of a reason that travels: it is kept, quoted and logged.
constexpr size_t kLongestReason = 4096;

// An application status as it travels inside an answer. A reason may quote anything.
template <typename Response>
void SetOutcome(const Status& status, Response* response) {
  response->set_code(static_cast<tensorflow::error::Code>(status.code()));
  response->set_msg(Utf8Prefix(AsUtf8(status.told()), kLongestReason));
}

template <typename Response>
Status OutcomeOf(const Response& response) {
  return {CodeFromNumber(response.code()), Utf8Prefix(response.msg(), kLongestReason)};
}

}  // namespace efl
