// MessageRequest by hand: the payload stays where it is, on the way out and on the way in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/status.h"
#include "base/tensor.h"
#include "grpcpp/support/byte_buffer.h"

namespace efl {

// Exactly what protobuf would write for MessageRequest, as two slices: a header, and the payload's
// own memory, which is released when gRPC drops the slice.
grpc::ByteBuffer EncodeMessageRequest(OutgoingTensor tensor);

// A MessageRequest taken apart. The content is a range of the bytes it came in or, when the sender
// used the typed fields, a copy.
struct DecodedTensor {
  TensorInfo info;
  bool typed = false;
  size_t content_offset = 0;
  std::string typed_content;
};

// UNKNOWN when it can't be decoded; name and step are set as far as they could be read.
Status DecodeMessageRequest(grpc::ByteBuffer* bytes, DecodedTensor* tensor);

// Copies info.size bytes of content to `to`.
Status CopyContent(grpc::ByteBuffer* bytes, const DecodedTensor& tensor, void* to);

}  // namespace efl
