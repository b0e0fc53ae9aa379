// Cases throughput and one: what is sent in which order, and the driver's loop over any system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "args.h"

namespace efl::bench {

// Tensors of one size; after the last one the serving side compares all of it and says so.
struct Round {
  size_t bytes;
  int count;
};

// The first round isn't counted. Tensors are numbered through all rounds, from 0.
std::vector<Round> RoundsOf(const Args& args);
int InFlightOf(const Args& args);

// Whether what is compared is one more tensor of each round, which isn't counted, because the
// serving side doesn't keep those that are.
bool ComparesApart(const Args& args);

class Link {
 public:
  virtual ~Link() = default;
  // The data stay as they are until AwaitArrival has returned for them.
  virtual void Send(uint64_t id, const uint8_t* data, size_t size) = 0;
  // Returns once the other process has received all of the oldest tensor that is under way.
  virtual void AwaitArrival() = 0;
  // Returns once the other process has found the last tensor of the round to be right.
  virtual void AwaitVerified() = 0;
};

// Prints the result.
void DriveThroughput(const Args& args, Link* link);

}  // namespace efl::bench
