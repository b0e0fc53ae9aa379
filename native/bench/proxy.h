// A proxy that makes localhost as far away as another continent: what comes in on one side goes out
// on the other after a delay, the two directions on their own.
#pragma once

#include "args.h"

namespace efl::bench {

// Prints READY, and runs until the process ends.
void RunProxy(const Args& args);

}  // namespace efl::bench
