#include "wire/trainer/tensor_codec.h"

#include <string>

#include "efl/trainer_service.pb.h"
#include "fuzz/byte_buffer.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"

namespace efl::fuzz {

void TensorCodec(const uint8_t* data, size_t size) {
  Input input(data, size);
  const size_t piece = 1 + input.Byte() % 64;
  const std::string message = input.Rest();
  grpc::ByteBuffer bytes = InPieces(message, piece);
  DecodedTensor tensor;
  if (!DecodeMessageRequest(&bytes, &tensor).ok()) return;
  // No tensor is larger than its message, but for typed fields, which may say a value once for all.
  Check(tensor.typed || tensor.content_offset + tensor.info.size <= message.size(),
        "the content is in the message");
  std::string content(tensor.info.size, '\0');
  Check(CopyContent(&bytes, tensor, content.data()).ok(), "what was decoded can be copied");
  Check(CheckTensor(tensor.info).ok(), "what was decoded is a tensor");
  MessageRequest proto;
  // Of fields that it skips, this codec checks less.
  if (!proto.ParseFromString(message)) return;
  Check(proto.name() == tensor.info.name && proto.tensor().dtype() == tensor.info.dtype,
        "protobuf reads the same name and dtype");
  if (!tensor.typed) {
    Check(proto.tensor().tensor_content() == content, "protobuf reads the same content");
  }
}

}  // namespace efl::fuzz
