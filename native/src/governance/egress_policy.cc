#include "governance/egress_policy.h"

#include <algorithm>

#include "base/name_pattern.h"

namespace efl {

const EgressRule* EgressPolicy::RuleFor(const TensorInfo& info) const {
  const auto fits = [&info](const EgressRule& rule) {
    const bool typed = rule.dtypes.empty() || std::find(rule.dtypes.begin(), rule.dtypes.end(),
                                                        info.dtype) != rule.dtypes.end();
    return typed && std::any_of(rule.names.begin(), rule.names.end(), [&](const auto& pattern) {
             // What can't be compared is forbidden, not let out.
             return NameFits(pattern, info.name, !rule.allow);
           });
  };
  const auto at = std::find_if(rules.begin(), rules.end(), fits);
  return at == rules.end() ? nullptr : &*at;
}

}  // namespace efl
