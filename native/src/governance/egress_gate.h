// The egress policy at work: decides over each send, and counts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "governance/egress_policy.h"
#include "governance/rate_limit.h"

namespace efl {

// What leaves beside tensors.
enum class EgressText { kReaderState, kCheckpointVersion };

// Thread-safe.
class EgressGate {
 public:
  using Now = std::function<RateLimit::Clock::time_point()>;

  // Null and INVALID_ARGUMENT, with the file and the place in it, when it can't be used.
  static std::unique_ptr<EgressGate> Open(const std::string& file, Status* status);

  // `file`: as texts call the policy.
  EgressGate(EgressPolicy policy, std::string file, Now now = &RateLimit::Clock::now);

  // PERMISSION_DENIED names the rule, the file and what to do. OK: it counts as sent.
  Status Admit(const TensorInfo& info);
  Status Admit(EgressText kind, int64_t bytes);

  // Of the file's bytes.
  const std::string& sha256() const { return sha256_; }

 private:
  Status Deny(const std::string& why, const std::string& otherwise = {}) const;
  // Null: what holds for all together.
  const EgressLimits& LimitsOf(const EgressRule* rule) const;
  Status CheckSize(const EgressRule* rule, int64_t bytes) const;
  Status CheckRate(const EgressRule* rule, RateLimit* rate, int64_t bytes) const;
  // `rule` and `rate` may be null.
  Status Count(const EgressRule* rule, RateLimit* rate, int64_t bytes);
  std::string Called(const EgressRule* rule) const;

  const EgressPolicy policy_;
  const std::string file_;
  const Now now_;
  std::string sha256_;

  std::mutex mutex_;
  std::vector<RateLimit> rates_;  // of the rules
  RateLimit all_;
};

}  // namespace efl
