// System tcp: what a blocking socket does.
#pragma once

#include "args.h"

namespace efl::bench {

void ServeTcp(const Args& args);
void DriveTcp(const Args& args);

}  // namespace efl::bench
