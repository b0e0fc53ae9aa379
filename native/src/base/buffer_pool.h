// Memory for large pieces of tensors, kept for the next one when it is given back. Fresh memory is
// mapped, faulted in page by page and cleared, which takes as long as the network does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace efl {

class BufferPool {
 public:
  // `keep_bytes`: how much that nobody uses is kept; what has not been used for longest goes first.
  explicit BufferPool(size_t keep_bytes) : keep_bytes_(keep_bytes) {}
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  static constexpr const char* kVariable = "EFL_BUFFER_POOL_BYTES";
  static constexpr size_t kMost = size_t{1} << 47;
  // What the variable's value says; none: no whole number up to kMost.
  static std::optional<size_t> Read(const char* text);

  // The one of the process: EFL_BUFFER_POOL_BYTES, or 256 MiB. Never destroyed. It can't say that a
  // value is wrong, since malloc comes by here; Options does.
  static BufferPool& Global();

  // At a page, and of a huge page's alignment where it is as large as one. Null: no memory.
  void* Allocate(size_t size);
  void Free(void* buffer);
  // Whether Allocate has returned it. Cheap where it can't have.
  bool Owns(const void* buffer) const;
  size_t SizeOf(const void* buffer) const;

  size_t kept_bytes() const;

 private:
  struct Idle {
    void* buffer;
    size_t size;
  };
  using IdleList = std::list<Idle>;

  void* TakeIdle(size_t size);

  const size_t keep_bytes_;
  mutable std::mutex mutex_;
  std::unordered_map<const void*, size_t> in_use_;
  IdleList idle_;  // the longest unused first
  std::multimap<size_t, IdleList::iterator> by_size_;
  size_t idle_bytes_ = 0;
};

}  // namespace efl
