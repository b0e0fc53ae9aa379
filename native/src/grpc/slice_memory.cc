// Where the memory comes from that gRPC reads messages into: gRPC takes it from malloc, which gives
// pieces of this size back to the system and fetches them again, message by message. The linker
// leads gRPC's malloc and free here (CMakeLists.txt, --wrap); nothing outside of this library sees
// it.
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/buffer_pool.h"

namespace {

constexpr size_t kPooled = 64 << 10;

}  // namespace

extern "C" {

void* __real_malloc(size_t size);
void* __real_realloc(void* memory, size_t size);
void __real_free(void* memory);

void* __wrap_malloc(size_t size);
void* __wrap_realloc(void* memory, size_t size);
void __wrap_free(void* memory);

void* __wrap_malloc(size_t size) {
  return size < kPooled ? __real_malloc(size) : efl::BufferPool::Global().Allocate(size);
}

void* __wrap_realloc(void* memory, size_t size) {
  efl::BufferPool& pool = efl::BufferPool::Global();
  if (!pool.Owns(memory)) return __real_realloc(memory, size);
  void* const moved = __wrap_malloc(size);
  if (moved == nullptr) return nullptr;
  const size_t had = pool.SizeOf(memory);
  std::memcpy(moved, memory, had < size ? had : size);
  pool.Free(memory);
  return moved;
}

void __wrap_free(void* memory) {
  efl::BufferPool& pool = efl::BufferPool::Global();
  if (pool.Owns(memory)) {
    pool.Free(memory);
  } else {
    __real_free(memory);
  }
}

}  // extern "C"
