#include "fuzz/input.h"

#include <cstdio>
#include <cstdlib>

namespace efl::fuzz {

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: not so: %s\n", what);
  std::abort();
}

}  // namespace efl::fuzz
