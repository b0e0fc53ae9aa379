// What may happen to the connections of a proxy, and a sequence of it that a seed decides.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace efl::faults {

struct Fault {
  enum class Kind {
    kFin,      // what waits is dropped, and both sides see an end
    kReset,    // both sides see a reset
    kStall,    // nothing gets through for a while, then all of it
    kSwallow,  // half-open: everything vanishes for a while, without a word; then a reset
    kCorrupt,  // one bit of what comes next
    kRefuse,   // for a while every new connection is reset, as those that there are
    kReorder,  // the next connection is let through after the one that follows it, or after a while
    kDelay,    // for a while everything takes longer, now more, now less
    kThrottle,  // for a while little gets through at a time
  };
  enum class Direction { kBoth, kThere, kBack };  // there: from who dials to who listens

  Kind kind = Kind::kFin;
  Direction direction = Direction::kBoth;
  int64_t lasts_ms = 0;
  uint64_t random = 0;  // which bit, how long, how little
};

const char* FaultName(Fault::Kind kind);

// The same faults after the same pauses for the same seed.
class FaultSchedule {
 public:
  // How often each comes, against the others.
  struct Mix {
    int fin = 4;
    int reset = 4;
    int stall = 2;
    int swallow = 1;
    int corrupt = 1;
    int refuse = 1;
    int reorder = 1;
    int delay = 1;
    int throttle = 1;
    int64_t shortest_pause_ms = 5;
    int64_t longest_pause_ms = 40;
    int64_t longest_ms = 40;  // of what lasts for a while
    // A machine that is slow against these times would get nowhere: after three faults that hit no
    // connection which had carried so many bytes, the next one waits for such a connection. 0: no.
    uint64_t useful_bytes = 0;
  };

  FaultSchedule(uint64_t seed, const Mix& mix);

  int64_t NextPauseMs();
  Fault NextFault();
  const Mix& mix() const { return mix_; }

 private:
  // Evenly, both ends included. The library's own distributions differ between libraries.
  int64_t Between(int64_t least, int64_t most);

  const Mix mix_;
  std::mt19937_64 random_;
};

// A seed from the text, or, where it is empty, from the system.
uint64_t SeedFrom(const std::string& text);

}  // namespace efl::faults
