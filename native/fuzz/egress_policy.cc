#include "governance/egress_policy.h"

#include <string>

#include "fuzz/input.h"
#include "fuzz/targets.h"

namespace efl::fuzz {

void EgressPolicy(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  efl::EgressPolicy first;
  const Status status = efl::EgressPolicy::Parse(text, &first);
  Check(status.ok() || !status.message().empty(), "what is refused is refused with a reason");
  efl::EgressPolicy second;
  Check(efl::EgressPolicy::Parse(text, &second).Text() == status.Text(),
        "the same text is read the same way");
  if (status.ok()) Check(first.rules.size() == second.rules.size(), "to the same rules");
}

}  // namespace efl::fuzz
