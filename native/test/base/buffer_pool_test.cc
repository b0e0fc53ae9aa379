#include "base/buffer_pool.h"

#include <gtest/gtest.h>

#include <cstring>

namespace efl {
namespace {

constexpr size_t kMiB = 1 << 20;

TEST(BufferPoolTest, ShouldGiveTheSameMemoryAgain) {
  BufferPool pool(16 * kMiB);
  void* const first = pool.Allocate(3 * kMiB);
  ASSERT_NE(first, nullptr);
  std::memset(first, 1, 3 * kMiB);
  pool.Free(first);
  EXPECT_GE(pool.kept_bytes(), 3 * kMiB);
  // Of about the same size.
  EXPECT_EQ(pool.Allocate(3 * kMiB - 1000), first);
  EXPECT_EQ(pool.kept_bytes(), 0u);
  pool.Free(first);
}

TEST(BufferPoolTest, ShouldKeepNoMoreThanItMay) {
  BufferPool pool(4 * kMiB);
  void* buffers[8];
  for (void*& buffer : buffers) {
    buffer = pool.Allocate(kMiB);
    std::memset(buffer, 1, kMiB);
  }
  for (void* buffer : buffers) {
    pool.Free(buffer);
    EXPECT_LE(pool.kept_bytes(), 4 * kMiB);
  }
  // What was given back last.
  EXPECT_EQ(pool.Allocate(kMiB), buffers[4]);
  pool.Free(buffers[4]);
}

TEST(BufferPoolTest, ShouldKnowItsOwn) {
  BufferPool pool(kMiB);
  void* const mine = pool.Allocate(100'000);
  int other = 0;
  EXPECT_TRUE(pool.Owns(mine));
  EXPECT_GE(pool.SizeOf(mine), 100'000u);
  EXPECT_FALSE(pool.Owns(&other));
  EXPECT_FALSE(pool.Owns(nullptr));
  EXPECT_FALSE(pool.Owns(static_cast<char*>(mine) + 4096));
  pool.Free(mine);
  EXPECT_FALSE(pool.Owns(mine));
}

TEST(BufferPoolTest, ShouldAlignWhatIsAsLargeAsAHugePage) {
  BufferPool pool(0);
  for (const size_t size : {2 * kMiB, 5 * kMiB + 1, 64 * kMiB}) {
    void* const buffer = pool.Allocate(size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer) % (2 * kMiB), 0u) << size;
    static_cast<char*>(buffer)[size - 1] = 1;
    pool.Free(buffer);
  }
}

TEST(BufferPoolTest, ShouldSayThatThereIsNoMemory) {
  BufferPool pool(0);
  EXPECT_EQ(pool.Allocate(size_t{1} << 60), nullptr);
}

}  // namespace
}  // namespace efl
