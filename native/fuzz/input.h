// Takes an input apart: numbers and bytes from its beginning, nothing when it is used up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace efl::fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  bool empty() const { return left_ == 0; }
  uint8_t Byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  // Short ones are likelier: most of what goes wrong does so at small numbers and at the largest.
  uint64_t Number() {
    const uint8_t first = Byte();
    if (first < 0xf0) return first;
    if (first == 0xff) return ~uint64_t{0};
    uint64_t value = 0;
    for (int i = 0; i < (first & 7) + 1; ++i) value = value << 8 | Byte();
    return value;
  }
  std::string Bytes(size_t size) {
    size = std::min(size, left_);
    std::string bytes(reinterpret_cast<const char*>(data_), size);
    data_ += size;
    left_ -= size;
    return bytes;
  }
  std::string Rest() { return Bytes(left_); }

 private:
  const uint8_t* data_;
  size_t left_;
};

// What must hold.
void Check(bool holds, const char* what);

}  // namespace efl::fuzz
