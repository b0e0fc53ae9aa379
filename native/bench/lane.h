// One direction of a proxied connection: bytes wait here until their time has come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace efl::bench {

// Reused memory for what waits, the block given back last first: that one is still in the cache.
class BlockStore {
 public:
  static constexpr size_t kBlock = size_t{256} << 10;
  using Block = std::unique_ptr<uint8_t[]>;

  Block Take();
  void GiveBack(Block block) { free_.push_back(std::move(block)); }

 private:
  std::vector<Block> free_;
};

class Lane {
 public:
  // Reads from one socket and writes to another, neither of them its own.
  Lane(int from, int to, int64_t delay_ns, size_t capacity, BlockStore* store);
  Lane(Lane&&) = default;
  ~Lane();

  // Each does what can be done without waiting.
  void ReadSome(int64_t now);
  // False: the connection is to be reset.
  bool WriteSome(int64_t now);

  bool wants_read() const { return !ended_ && bytes_ < capacity_; }
  // When the next byte, or the end, is due; -1 when there is none.
  int64_t due() const;
  // Of the bytes that are due some couldn't be written: the socket will say when it takes more.
  bool blocked() const { return blocked_; }
  bool finished() const { return passed_on_; }

 private:
  // What came in at once.
  struct Arrival {
    int64_t due;
    size_t bytes;
  };

  size_t DueBytes(int64_t now) const;
  void Consume(size_t bytes);

  int from_;
  int to_;
  int64_t delay_ns_;
  size_t capacity_;
  BlockStore* store_;
  std::deque<BlockStore::Block> blocks_;
  std::deque<Arrival> arrivals_;
  size_t begin_ = 0;  // in the first block
  size_t end_ = 0;    // in the last block
  size_t bytes_ = 0;
  int64_t end_due_ = 0;
  bool ended_ = false;
  bool reset_ = false;
  bool blocked_ = false;
  bool passed_on_ = false;
};

}  // namespace efl::bench
