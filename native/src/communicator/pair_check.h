// Whether two parties belong together, by how they introduce themselves. Both of them look, so the
// texts are right at both ends.
#pragma once

#include "base/status.h"
#include "wire/pair/pair.h"

namespace efl {

// Protocol, roles, job, worker.
Status CheckPair(const Introduction& mine, const Introduction& theirs);
// Whether there is a wire for them: over the trainer wire each party calls the other.
Status CheckWires(const Introduction& mine, const Introduction& theirs);

}  // namespace efl
