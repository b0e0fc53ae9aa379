#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <cstring>

namespace efl {
namespace {

// Fits the first-level cache, twice.
constexpr size_t kBlock = 16 << 10;

uint32_t Raw(const void* data, size_t size, uint32_t state) {
  auto* bytes = static_cast<unsigned char*>(const_cast<void*>(data));  // it only reads
  constexpr size_t kMost = size_t{1} << 30;
  while (size > 0) {
    const size_t part = std::min(size, kMost);
    state = crc32_iscsi(bytes, static_cast<int>(part), state);
    bytes += part;
    size -= part;
  }
  return state;
}

}  // namespace

uint32_t Crc32c(const void* data, size_t size, uint32_t crc) { return ~Raw(data, size, ~crc); }

uint32_t CopyCrc32c(void* to, const void* from, size_t size, uint32_t crc) {
  auto* out = static_cast<char*>(to);
  const auto* in = static_cast<const char*>(from);
  uint32_t state = ~crc;
  while (size > 0) {
    const size_t part = std::min(size, kBlock);
    state = Raw(in, part, state);
    std::memcpy(out, in, part);
    in += part;
    out += part;
    size -= part;
  }
  return ~state;
}

}  // namespace efl
