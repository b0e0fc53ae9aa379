// What the tensor of a number holds, so that either party can tell by itself whether it has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace efl::soak {

constexpr uint64_t kNames = 40;
constexpr size_t kMostFloats = 1 << 20;

inline std::string NameOf(uint64_t number) { return "t" + std::to_string(number % kNames); }

// Floats that every encoding keeps as they are; they stay where they are.
const float* ContentOf(uint64_t number);

enum class Found { kIntact, kCorrupted, kAnother };
// kAnother: what another transfer of this name should have brought.
Found Compare(uint64_t number, const void* data, size_t floats);

}  // namespace efl::soak
