#include "tensorflow/string_codec.h"

namespace efl_tf {
namespace {

constexpr int kMaxVarintBytes = 10;

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

// Advances *position; false when the varint is cut off or longer than 64 bits.
bool ReadVarint(const char* data, size_t size, size_t* position, uint64_t* value) {
  *value = 0;
  for (int i = 0; i < kMaxVarintBytes && *position < size; ++i) {
    const auto byte = static_cast<unsigned char>(data[(*position)++]);
    if (i == kMaxVarintBytes - 1 && byte > 1) return false;
    *value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

}  // namespace

std::string EncodeStrings(const TF_TString* strings, size_t count) {
  std::string encoded;
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) bytes += TF_StringGetSize(&strings[i]);
  encoded.reserve(bytes + 2 * count);
  for (size_t i = 0; i < count; ++i) AppendVarint(TF_StringGetSize(&strings[i]), &encoded);
  for (size_t i = 0; i < count; ++i) {
    encoded.append(TF_StringGetDataPointer(&strings[i]), TF_StringGetSize(&strings[i]));
  }
  return encoded;
}

std::string DecodeStrings(const char* data, size_t size, size_t count,
                          std::vector<StringSlice>* strings) {
  const std::string what =
      std::to_string(count) + " strings in " + std::to_string(size) + " bytes: ";
  if (count > size) return what + "too few bytes for their lengths";
  strings->resize(count);
  size_t position = 0;
  for (StringSlice& slice : *strings) {
    uint64_t length = 0;
    if (!ReadVarint(data, size, &position, &length)) return what + "a length cannot be read";
    if (length > size) return what + "a length of " + std::to_string(length);
    slice.size = static_cast<size_t>(length);
  }
  for (StringSlice& slice : *strings) {
    if (slice.size > size - position) return what + "their lengths exceed the bytes";
    slice.data = data + position;
    position += slice.size;
  }
  if (position != size) {
    return what + std::to_string(size - position) + " bytes belong to no string";
  }
  return "";
}

}  // namespace efl_tf
