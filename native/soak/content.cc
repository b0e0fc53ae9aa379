#include "content.h"

#include <cstring>
#include <random>
#include <vector>

namespace efl::soak {
namespace {

// Contents are parts of one pool, each from another place.
constexpr size_t kPlaces = 4099;

const std::vector<float>& Pool() {
  static const std::vector<float>& pool = *[] {
    std::minstd_rand random(1);
    auto* made = new std::vector<float>(kMostFloats + kPlaces);
    for (float& value : *made) {
      const uint32_t bits = static_cast<uint32_t>(random()) << 16 & 0x7f7fffffU;
      std::memcpy(&value, &bits, sizeof(value));
    }
    return made;
  }();
  return pool;
}

}  // namespace

const float* ContentOf(uint64_t number) { return Pool().data() + number % kPlaces; }

Found Compare(uint64_t number, const void* data, size_t floats) {
  const size_t size = floats * sizeof(float);
  if (std::memcmp(data, ContentOf(number), size) == 0) return Found::kIntact;
  for (uint64_t back = kNames; back <= 4 * kNames && back <= number; back += kNames) {
    if (std::memcmp(data, ContentOf(number - back), size) == 0) return Found::kAnother;
  }
  return Found::kCorrupted;
}

}  // namespace efl::soak
