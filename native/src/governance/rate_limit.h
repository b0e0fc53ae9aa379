// How much may leave in how much time.
#pragma once

#include <chrono>
#include <cstdint>

#include "governance/egress_policy.h"

namespace efl {

// The rates of an EgressLimits: full at first, filled again as time goes by. In any span of time no
// more leaves than its seconds and burst_seconds together allow. Not thread-safe.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  RateLimit(const EgressLimits& limits, Clock::time_point now);

  // How long until so many bytes may leave; zero: now; kNever: too many at once.
  static constexpr Clock::duration kNever = Clock::duration::max();
  Clock::duration Wait(int64_t bytes, Clock::time_point now);
  // They leave. Wait has said that they may.
  void Take(int64_t bytes);

 private:
  struct Bucket {
    double per_second = 0;  // 0: without a limit
    double most = 0;
    double level = 0;

    void Fill(double seconds);
    Clock::duration Wait(double amount) const;
  };

  Bucket bytes_;
  Bucket sends_;
  Clock::time_point filled_;
};

}  // namespace efl
