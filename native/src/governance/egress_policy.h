// What may leave this party. docs/governance.md has the format of the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/tensor.h"

namespace efl {

// 0: no limit.
struct EgressLimits {
  int64_t max_bytes = 0;
  int64_t bytes_per_second = 0;
  double sends_per_second = 0;
  // A pause is made up for by sending as much at once as the rates let out in this time.
  double burst_seconds = 1;
};

struct EgressRule {
  std::string id;  // as the file calls it, or "rules[2]"
  bool allow = false;
  std::vector<std::string> names;  // patterns, one of which has to fit
  std::vector<int32_t> dtypes;     // one of these; none: any
  EgressLimits limits;             // of all that it allows, together
};

struct EgressPolicy {
  bool allow_by_default = false;
  bool allow_reader_states = false;
  bool allow_checkpoint_versions = false;
  std::vector<EgressRule> rules;
  EgressLimits limits;  // of all that leaves

  // A pure function of the text. INVALID_ARGUMENT says where in it what was expected; `policy` is
  // then of no use.
  static Status Parse(std::string_view text, EgressPolicy* policy);

  // The first rule that fits; null: none, the default decides.
  const EgressRule* RuleFor(const TensorInfo& info) const;
};

}  // namespace efl
