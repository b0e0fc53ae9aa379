// What was sent and what became of it, kept outside of the parties that are killed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "driver.h"

namespace efl::soak {

// A party, and, of a transfer, the one that sends it.
enum class Side { kLeader = 0, kFollower = 1 };
inline Side Other(Side side) { return side == Side::kLeader ? Side::kFollower : Side::kLeader; }

// Not thread-safe.
class Ledger {
 public:
  void Begin(Side from, uint64_t number);
  // A party's line: SENT NUMBER CODE TEXT, or RECEIVED NUMBER CODE FOUND TEXT.
  void OnLine(Side party, const std::string& line);
  // What this party hasn't ended it never will; the other may still.
  void OnKilled(Side party);

  // Begun, and waiting for a party that lives.
  size_t open() const { return entries_.size(); }
  size_t open_from(Side from) const;
  // Counts what is open as hanging and forgets it.
  void GiveUp();
  bool HasHung(std::chrono::seconds limit) const;
  const Figures& figures() const { return figures_; }

 private:
  struct Operation {
    bool ended = false;
    int code = 0;
    int found = 0;
    std::string text;
  };
  struct Entry {
    Operation send;
    Operation receive;
    bool killed = false;  // one of the two parties
    std::chrono::steady_clock::time_point begun;
  };
  using Key = std::pair<Side, uint64_t>;
  void Judge(std::map<Key, Entry>::iterator at);
  void Complain(uint64_t* count, const Key& key, const std::string& what);

  std::map<Key, Entry> entries_;
  Figures figures_;
};

}  // namespace efl::soak
