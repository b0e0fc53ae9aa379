#include "pattern.h"

#include <algorithm>
#include <cstring>

namespace efl::bench {
namespace {

constexpr size_t kWord = sizeof(uint64_t);
constexpr size_t kHead = 64;
constexpr size_t kEvery = size_t{1} << 20;

uint64_t Mix(uint64_t value) {
  value *= 0x9e3779b97f4a7c15U;
  value ^= value >> 29;
  value *= 0xbf58476d1ce4e5b9U;
  return value ^ (value >> 32);
}

uint64_t Plain(size_t at) { return Mix(at + 1); }
uint64_t Marked(size_t at, uint64_t id) { return Mix(Mix(id + 1) ^ (at + 1)); }

bool IsMark(size_t at, size_t total) {
  return at < kHead || at % kEvery == 0 || total - at < kWord;
}

// Calls visit(at, size) with each mark that overlaps [offset, offset + size), ascending.
template <typename Visit>
bool EachMark(size_t offset, size_t size, size_t total, const Visit& visit) {
  const size_t end = std::min(offset + size, total);
  const size_t tail = total / kWord * kWord;
  for (size_t at = offset / kWord * kWord; at < std::min(end, kHead); at += kWord) {
    if (!visit(at, std::min(kWord, total - at))) return false;
  }
  size_t at = std::max(offset / kEvery * kEvery, kEvery);
  if (at + kWord <= offset) at += kEvery;
  for (; at < std::min(end, tail); at += kEvery) {
    if (!visit(at, kWord)) return false;
  }
  const bool tail_left = tail < total && tail >= kHead && end > tail;
  return !tail_left || visit(tail, total - tail);
}

}  // namespace

void Fill(uint8_t* into, size_t offset, size_t size, size_t total, uint64_t id) {
  for (size_t done = 0; done < size;) {
    const size_t at = (offset + done) / kWord * kWord;
    const uint64_t word = IsMark(at, total) ? Marked(at, id) : Plain(at);
    const size_t skip = offset + done - at;
    const size_t part = std::min(kWord - skip, size - done);
    if (part == kWord) {
      std::memcpy(into + done, &word, kWord);
    } else {
      std::memcpy(into + done, reinterpret_cast<const uint8_t*>(&word) + skip, part);
    }
    done += part;
  }
}

void Mark(uint8_t* tensor, size_t total, uint64_t id) {
  EachMark(0, total, total, [=](size_t at, size_t size) {
    const uint64_t word = Marked(at, id);
    std::memcpy(tensor + at, &word, size);
    return true;
  });
}

bool MarksFit(const uint8_t* piece, size_t offset, size_t size, size_t total, uint64_t id) {
  return EachMark(offset, size, total, [=](size_t at, size_t mark_size) {
    const uint64_t word = Marked(at, id);
    const size_t from = std::max(at, offset);
    const size_t to = std::min(at + mark_size, offset + size);
    return from >= to ||
           std::memcmp(piece + (from - offset),
                       reinterpret_cast<const uint8_t*>(&word) + (from - at), to - from) == 0;
  });
}

bool AllFits(const uint8_t* piece, size_t offset, size_t size, size_t total, uint64_t id) {
  uint8_t expected[32768];
  for (size_t done = 0; done < size;) {
    const size_t part = std::min(sizeof(expected), size - done);
    Fill(expected, offset + done, part, total, id);
    if (std::memcmp(expected, piece + done, part) != 0) return false;
    done += part;
  }
  return true;
}

}  // namespace efl::bench
