// What this process has of the memory.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <fstream>

namespace efl::test {

inline int64_t ResidentBytes() {
  int64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace efl::test
