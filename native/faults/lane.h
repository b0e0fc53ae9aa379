// One direction of a proxied connection: bytes wait here until their time has come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <vector>

namespace efl::faults {

// CLOCK_MONOTONIC
int64_t NowNs();

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

// What a direction is like all the time.
struct Line {
  int64_t delay_ns = 0;
  int64_t jitter_ns = 0;     // added to the delay, at most, evenly; what came first stays first
  uint64_t bytes_per_s = 0;  // 0: as many as there are
  size_t capacity = size_t{512} << 20;  // what may wait
};

class Lane {
 public:
  // Reads from one socket and writes to another, neither of them its own.
  Lane(int from, int to, const Line& line, BlockStore* store, uint64_t seed);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane();

  // Each does what can be done without waiting.
  void ReadSome(int64_t now);
  // False: the connection is to be reset.
  bool WriteSome(int64_t now);

  // Nothing gets through before this time; nothing is lost either.
  void Stall(int64_t until) { stalled_until_ = until; }
  // What comes in before this time goes as over this line.
  void Slow(const Line& line, int64_t until) {
    slow_ = line;
    slow_until_ = until;
  }
  // From now on everything vanishes, the end too.
  void Swallow() { swallows_ = true; }
  // One bit of the next bytes to come in.
  void Corrupt(uint64_t random) { corrupts_.push_back(random); }
  // What waits is dropped, and the end passed on at once.
  void End();

  bool wants_read() const { return !ended_ && bytes_ < line_.capacity; }
  // When the next byte, or the end, is due; -1 when there is none.
  int64_t due() const;
  // Of the bytes that are due some couldn't be written: the socket will say when it takes more.
  bool blocked() const { return blocked_; }
  bool finished() const { return passed_on_ && ended_; }
  bool ended() const { return ended_; }
  bool swallows() const { return swallows_; }
  uint64_t passed() const { return passed_; }

 private:
  // What came in at once.
  struct Arrival {
    int64_t due;
    size_t bytes;
  };

  void OnRead(int64_t now, size_t size);
  size_t DueBytes(int64_t now) const;
  void Consume(size_t bytes);

  const int from_;
  const int to_;
  const Line line_;
  Line slow_;
  int64_t slow_until_ = 0;
  BlockStore* const store_;
  std::minstd_rand random_;
  std::deque<BlockStore::Block> blocks_;
  std::deque<Arrival> arrivals_;
  size_t begin_ = 0;  // in the first block
  size_t end_ = 0;    // in the last block
  size_t bytes_ = 0;
  uint64_t passed_ = 0;
  int64_t last_due_ = 0;
  int64_t end_due_ = 0;
  int64_t stalled_until_ = 0;
  std::vector<uint64_t> corrupts_;
  bool swallows_ = false;
  bool ended_ = false;
  bool reset_ = false;
  bool blocked_ = false;
  bool passed_on_ = false;
};

}  // namespace efl::faults
