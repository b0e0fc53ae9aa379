#include "base/buffer_pool.h"

#include <sys/mman.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

namespace efl {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kHugePage = 2 << 20;
constexpr size_t kDefaultKeep = 256 << 20;

// Four sizes for each power of two: what was given back fits what is asked for next, and at most a
// quarter of it is slack, which is never touched.
size_t ClassOf(size_t size) {
  size_t step = kPage;
  while (step * 8 < size) step *= 2;
  return (size + step - 1) / step * step;
}

void* Map(size_t size) {
  const bool huge = size >= kHugePage;
  const size_t extra = huge ? kHugePage : 0;
  void* const mapped = mmap(nullptr, size + extra, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  if (!huge) return mapped;
  auto* const begin = static_cast<char*>(mapped);
  const size_t head = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
  if (head > 0) munmap(begin, head);
  if (extra > head) munmap(begin + head + size, extra - head);
  madvise(begin + head, size, MADV_HUGEPAGE);
  return begin + head;
}

}  // namespace

BufferPool::~BufferPool() {
  for (const Idle& idle : idle_) munmap(idle.buffer, idle.size);
}

std::optional<size_t> BufferPool::Read(const char* text) {
  size_t bytes = 0;
  const char* const end = text + std::strlen(text);
  const auto [at, error] = std::from_chars(text, end, bytes);
  if (error != std::errc() || at != end || bytes > kMost) return std::nullopt;
  return bytes;
}

BufferPool& BufferPool::Global() {
  static BufferPool& pool = *new BufferPool([] {
    const char* const text = std::getenv(kVariable);
    return text == nullptr ? kDefaultKeep : Read(text).value_or(kDefaultKeep);
  }());
  return pool;
}

void* BufferPool::TakeIdle(size_t size) {
  const auto found = by_size_.find(size);
  if (found == by_size_.end()) return nullptr;
  void* const buffer = found->second->buffer;
  idle_.erase(found->second);
  by_size_.erase(found);
  idle_bytes_ -= size;
  return buffer;
}

void* BufferPool::Allocate(size_t size) {
  if (size > kMost) return nullptr;
  const size_t whole = ClassOf(size);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (void* const buffer = TakeIdle(whole)) {
      in_use_.emplace(buffer, whole);
      return buffer;
    }
  }
  void* const buffer = Map(whole);
  if (buffer == nullptr) return nullptr;
  std::lock_guard<std::mutex> lock(mutex_);
  in_use_.emplace(buffer, whole);
  return buffer;
}

void BufferPool::Free(void* buffer) {
  std::vector<Idle> unmapped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto at = in_use_.find(buffer);
    const size_t size = at->second;
    in_use_.erase(at);
    by_size_.emplace(size, idle_.insert(idle_.end(), {buffer, size}));
    idle_bytes_ += size;
    while (idle_bytes_ > keep_bytes_) {
      const auto oldest = idle_.begin();
      auto one = by_size_.lower_bound(oldest->size);
      while (one->second != oldest) ++one;
      by_size_.erase(one);
      idle_bytes_ -= oldest->size;
      unmapped.push_back(*oldest);
      idle_.erase(oldest);
    }
  }
  for (const Idle& idle : unmapped) munmap(idle.buffer, idle.size);
}

bool BufferPool::Owns(const void* buffer) const {
  if (reinterpret_cast<uintptr_t>(buffer) % kPage != 0 || buffer == nullptr) return false;
  std::lock_guard<std::mutex> lock(mutex_);
  return in_use_.count(buffer) > 0;
}

size_t BufferPool::SizeOf(const void* buffer) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return in_use_.at(buffer);
}

size_t BufferPool::kept_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return idle_bytes_;
}

}  // namespace efl
