// What every process of the benchmark does: it ends by itself, and says what it found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "faults/lane.h"

namespace efl::bench {

// The reason on standard error, then exit 1. At once: threads may be at work.
[[noreturn]] void Die(const std::string& reason);

// Ends the process with 1 when Progress wasn't called for so long.
void StartLimit(int limit_s);
void Progress();

// Ends the process with 0 when standard input ends.
void EndWithStdin();

void PrintReady();
[[noreturn]] void WaitForEnd();

// Keeps freed memory in the process instead of giving it back to the system page by page.
void TuneMalloc();

using faults::NowNs;

// In MiB, from /proc/self/status. ResetPeak makes the peak what is resident now.
double ResidentMib();
double PeakMib();
void ResetPeak();

// Memory that has been touched, so that it counts as resident and doesn't fault later.
class Buffer {
 public:
  explicit Buffer(size_t size);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&&) = delete;
  ~Buffer();
  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  uint8_t* data_;
  size_t size_;
};

// One line of JSON each.
void PrintThroughput(const std::vector<double>& gb_per_s);
void PrintRoundTrips(std::vector<int64_t> ns);

}  // namespace efl::bench
