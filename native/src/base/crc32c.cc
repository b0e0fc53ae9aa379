#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

#ifdef __SSE2__
constexpr size_t kLine = 64;  // of a cache

// A line at a time; the borders of `to` go through the cache.
void CopyPastCache(char* to, const char* from, size_t size) {
  const size_t border = std::min(size, (kLine - reinterpret_cast<uintptr_t>(to) % kLine) % kLine);
  std::memcpy(to, from, border);
  size_t at = border;
  for (; size - at >= kLine; at += kLine) {
    const auto* in = reinterpret_cast<const __m128i*>(from + at);
    auto* out = reinterpret_cast<__m128i*>(to + at);
    const __m128i first = _mm_loadu_si128(in), second = _mm_loadu_si128(in + 1);
    const __m128i third = _mm_loadu_si128(in + 2), fourth = _mm_loadu_si128(in + 3);
    _mm_stream_si128(out, first);
    _mm_stream_si128(out + 1, second);
    _mm_stream_si128(out + 2, third);
    _mm_stream_si128(out + 3, fourth);
  }
  std::memcpy(to + at, from + at, size - at);
}

// Such writes are in no order with others until this.
void EndPastCache() { _mm_sfence(); }
#else
void CopyPastCache(char* to, const char* from, size_t size) { std::memcpy(to, from, size); }
void EndPastCache() {}
#endif

}  // namespace

uint32_t Crc32c(const void* data, size_t size, uint32_t crc) { return ~Raw(data, size, ~crc); }

// What the caches of a core's neighbours hold between them; what sysconf says of the third level
// may be that of a whole machine, of which this is a part.
bool OutgrowsCache(size_t size) { return size >= size_t{32} << 20; }

uint32_t CopyCrc32c(void* to, const void* from, size_t size, uint32_t crc, bool past_cache) {
  auto* out = static_cast<char*>(to);
  const auto* in = static_cast<const char*>(from);
  uint32_t state = ~crc;
  while (size > 0) {
    const size_t part = std::min(size, kBlock);
    state = Raw(in, part, state);
    past_cache ? CopyPastCache(out, in, part) : static_cast<void>(std::memcpy(out, in, part));
    in += part;
    out += part;
    size -= part;
  }
  if (past_cache) EndPastCache();
  return ~state;
}

}  // namespace efl
