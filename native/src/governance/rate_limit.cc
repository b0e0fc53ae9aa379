#include "governance/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace efl {

RateLimit::RateLimit(const EgressLimits& limits, Clock::time_point now) : filled_(now) {
  bytes_.per_second = static_cast<double>(limits.bytes_per_second);
  sends_.per_second = limits.sends_per_second;
  for (Bucket* bucket : {&bytes_, &sends_}) {
    bucket->level = bucket->most = bucket->per_second * limits.burst_seconds;
  }
}

void RateLimit::Bucket::Fill(double seconds) {
  level = std::min(most, level + per_second * seconds);
}

RateLimit::Clock::duration RateLimit::Bucket::Wait(double amount) const {
  if (per_second <= 0 || amount <= level) return {};
  if (amount > most) return kNever;
  const std::chrono::duration<double> seconds((amount - level) / per_second);
  // A whole one more, so that whoever waits that long doesn't come too early.
  return std::chrono::duration_cast<std::chrono::milliseconds>(seconds) +
         std::chrono::milliseconds(1);
}

RateLimit::Clock::duration RateLimit::Wait(int64_t bytes, Clock::time_point now) {
  if (now > filled_) {
    const double seconds = std::chrono::duration<double>(now - filled_).count();
    bytes_.Fill(seconds);
    sends_.Fill(seconds);
    filled_ = now;
  }
  return std::max(bytes_.Wait(static_cast<double>(bytes)), sends_.Wait(1));
}

void RateLimit::Take(int64_t bytes) {
  bytes_.level -= static_cast<double>(bytes);
  sends_.level -= 1;
}

}  // namespace efl
