#include "wire/link/encoding.h"

#include <zstd.h>

#include <cstring>
#include <memory>
#include <new>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/name_pattern.h"

namespace efl {
namespace {

// Its fastest levels lose little on numbers and keep up with a network.
constexpr int kZstdLevel = 1;

using Buffer = std::unique_ptr<char[]>;

// What encodes has to be somebody's: the buffer's owner is the payload.
Payload Own(Buffer buffer, size_t size) {
  const char* data = buffer.get();
  return {data, size, [](void* token) { delete[] static_cast<char*>(token); }, buffer.release()};
}

Status NoMemory(size_t size) {
  return {Code::kResourceExhausted, absl::StrCat("no memory for an encoding of ", size, " bytes")};
}

Status Compress(Payload* payload) {
  const size_t bound = ZSTD_compressBound(payload->size());
  Buffer buffer(new (std::nothrow) char[bound]);
  if (buffer == nullptr) return NoMemory(bound);
  const size_t size =
      ZSTD_compress(buffer.get(), bound, payload->data(), payload->size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) {
    return {Code::kInternal, absl::StrCat("zstd: ", ZSTD_getErrorName(size))};
  }
  *payload = Own(std::move(buffer), size);
  return {};
}

// The upper half of a float, rounded to the nearest, to even between two; a NaN stays one.
uint16_t Shorten(uint32_t bits) {
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>(bits >> 16 | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

Status Halve(Payload* payload) {
  const size_t count = payload->size() / sizeof(uint32_t);
  Buffer buffer(new (std::nothrow) char[count * sizeof(uint16_t) + 1]);
  if (buffer == nullptr) return NoMemory(count * sizeof(uint16_t));
  const auto* in = static_cast<const char*>(payload->data());
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits = 0;
    std::memcpy(&bits, in + i * sizeof(bits), sizeof(bits));
    const uint16_t half = Shorten(bits);
    std::memcpy(buffer.get() + i * sizeof(half), &half, sizeof(half));
  }
  *payload = Own(std::move(buffer), count * sizeof(uint16_t));
  return {};
}

void Widen(const void* encoded, size_t count, void* to) {
  const auto* in = static_cast<const char*>(encoded);
  auto* out = static_cast<char*>(to);
  for (size_t i = 0; i < count; ++i) {
    uint16_t half = 0;
    std::memcpy(&half, in + i * sizeof(half), sizeof(half));
    const uint32_t bits = static_cast<uint32_t>(half) << 16;
    std::memcpy(out + i * sizeof(bits), &bits, sizeof(bits));
  }
}

}  // namespace

Status EncodingRules::Parse(const std::string& text, EncodingRules* rules) {
  rules->rules_.clear();
  for (absl::string_view rule : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(rule, absl::MaxSplits('=', 1));
    LinkEncoding encoding = LINK_ENCODING_NONE;
    if (parts.second == "zstd") {
      encoding = LINK_ENCODING_ZSTD;
    } else if (parts.second == "bfloat16") {
      encoding = LINK_ENCODING_BFLOAT16;
    } else if (parts.second != "none") {
      return {
          Code::kInvalidArgument,
          absl::StrCat("'", rule, "': expected PATTERN=zstd, PATTERN=bfloat16 or PATTERN=none")};
    }
    if (Status status = CheckNamePattern(parts.first); !status.ok()) {
      return {status.code(), absl::StrCat("'", rule, "': ", status.message())};
    }
    rules->rules_.emplace_back(parts.first, encoding);
  }
  return {};
}

LinkEncoding EncodingRules::For(const std::string& name, int32_t dtype) const {
  for (const auto& [pattern, encoding] : rules_) {
    if (!NameFits(pattern, name, false)) continue;
    const bool fits = encoding != LINK_ENCODING_BFLOAT16 || dtype == kFloat;
    return fits ? encoding : LINK_ENCODING_NONE;
  }
  return LINK_ENCODING_NONE;
}

Status EncodeContent(LinkEncoding encoding, Payload* payload) {
  if (encoding == LINK_ENCODING_ZSTD) return Compress(payload);
  if (encoding == LINK_ENCODING_BFLOAT16) return Halve(payload);
  return {};
}

Status CheckEncoding(const TensorInfo& info, LinkEncoding encoding, uint64_t encoded_size) {
  bool fits = false;
  if (encoding == LINK_ENCODING_NONE) {
    fits = encoded_size == info.size;
  } else if (encoding == LINK_ENCODING_ZSTD) {
    fits = encoded_size <= ZSTD_compressBound(info.size);
  } else if (encoding == LINK_ENCODING_BFLOAT16) {
    fits = info.dtype == kFloat && encoded_size == info.size / 2;
  } else {
    return {Code::kUnknown, absl::StrCat("encoding ", encoding, " is not known here")};
  }
  if (fits) return {};
  return {Code::kUnknown,
          absl::StrCat(encoded_size, " encoded bytes can't be a tensor of ", info.size, " bytes")};
}

Status DecodeContent(const TensorInfo& info, LinkEncoding encoding, const void* encoded,
                     size_t encoded_size, void* to) {
  if (encoding == LINK_ENCODING_BFLOAT16) {
    Widen(encoded, encoded_size / sizeof(uint16_t), to);
    return {};
  }
  const size_t size = ZSTD_decompress(to, info.size, encoded, encoded_size);
  if (ZSTD_isError(size) != 0) {
    return {Code::kUnknown, absl::StrCat("zstd: ", ZSTD_getErrorName(size))};
  }
  if (size != info.size) {
    return {Code::kUnknown, absl::StrCat("zstd: ", size, " bytes instead of ", info.size)};
  }
  return {};
}

}  // namespace efl
