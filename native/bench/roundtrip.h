// Case roundtrip: the driver's loop over a system that waits for its answers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "args.h"

namespace efl::bench {

class Echo {
 public:
  virtual ~Echo() = default;
  // Returns once all of the answer is there.
  virtual void Exchange(const uint8_t* data, size_t size) = 0;
  virtual bool Fits(size_t size, uint64_t id) const = 0;
};

// Prints the result. Comparing the answer isn't timed.
void DriveRoundTrips(const Args& args, Echo* echo);

}  // namespace efl::bench
