#include "wire/link/encoding.h"

#include <cstring>
#include <memory>
#include <string>

#include "fuzz/input.h"
#include "fuzz/targets.h"

namespace efl::fuzz {
namespace {

constexpr uint64_t kMostBytes = 1 << 20;

void Decode(Input* input) {
  TensorInfo info;
  info.dtype = static_cast<int32_t>(input->Byte() % 30);
  info.size = input->Number();
  const auto encoding = static_cast<LinkEncoding>(input->Byte() % 4);
  const std::string encoded = input->Rest();
  if (info.size > kMostBytes || encoding == LINK_ENCODING_NONE) return;
  if (!CheckEncoding(info, encoding, encoded.size()).ok()) return;
  // Of its own, so that a write beyond it is seen.
  const std::unique_ptr<char[]> to(new char[info.size]);
  DecodeContent(info, encoding, encoded.data(), encoded.size(), to.get());
}

// Whatever is encoded is decoded to the same, or, of bfloat16, to what stays the same from then on.
void RoundTrip(Input* input) {
  const bool zstd = input->Byte() % 2 == 0;
  std::string content = input->Rest();
  if (!zstd) content.resize(content.size() / sizeof(float) * sizeof(float));
  const LinkEncoding encoding = zstd ? LINK_ENCODING_ZSTD : LINK_ENCODING_BFLOAT16;
  TensorInfo info;
  info.dtype = zstd ? kUint8 : kFloat;
  info.size = content.size();
  std::string before = content;
  for (int round = 0; round < 2; ++round) {
    Payload payload(before.data(), before.size(), nullptr, nullptr);
    Check(EncodeContent(encoding, &payload).ok(), "it can be encoded");
    Check(CheckEncoding(info, encoding, payload.size()).ok(), "what was encoded is let in");
    std::string decoded(info.size, '\0');
    Check(DecodeContent(info, encoding, payload.data(), payload.size(), decoded.data()).ok(),
          "what was encoded can be decoded");
    if (zstd || round == 1) Check(decoded == before, "it comes out as it went in");
    before = decoded;
  }
}

}  // namespace

void Encoding(const uint8_t* data, size_t size) {
  Input input(data, size);
  switch (input.Byte() % 3) {
    case 0:
      return Decode(&input);
    case 1:
      return RoundTrip(&input);
    default:
      EncodingRules rules;
      const std::string name = input.Bytes(input.Byte() % 16);
      if (EncodingRules::Parse(input.Rest(), &rules).ok()) rules.For(name, kFloat);
  }
}

}  // namespace efl::fuzz
