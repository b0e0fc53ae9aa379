// What the payloads hold: words that depend on their place, and marks that depend on the tensor
// too. A tensor is told from another by its marks alone, so that a buffer of a gigabyte can be made
// the next tensor in no time; that all of it has arrived is told by comparing everything.
//
// Marks are the first 64 bytes, a word at each MiB, and what is left behind the last whole word.
#pragma once

#include <cstddef>
#include <cstdint>

namespace efl::bench {

// Writes bytes [offset, offset + size) of tensor `id`, `total` bytes long.
void Fill(uint8_t* into, size_t offset, size_t size, size_t total, uint64_t id);

// Makes a whole tensor of any id this one.
void Mark(uint8_t* tensor, size_t total, uint64_t id);

// Of a piece that begins at `offset`, anywhere.
bool MarksFit(const uint8_t* piece, size_t offset, size_t size, size_t total, uint64_t id);
bool AllFits(const uint8_t* piece, size_t offset, size_t size, size_t total, uint64_t id);

}  // namespace efl::bench
