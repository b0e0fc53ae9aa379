// TensorProto's typed fields (float_val, int_val, …), which a sender may use instead of
// tensor_content, turned into content.
#pragma once

#include "base/status.h"
#include "grpcpp/support/byte_buffer.h"
#include "wire/trainer/tensor_codec.h"

namespace efl {

// Decodes the whole MessageRequest with protobuf into info and typed_content. The status' message
// is the reason alone.
Status DecodeTyped(grpc::ByteBuffer* bytes, DecodedTensor* tensor);

}  // namespace efl
