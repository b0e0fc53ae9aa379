// Whether a thread of a completion queue asks again and again for what comes next, instead of
// sleeping until it is woken: while a tensor is under way, waking it costs the sender, on the same
// machine or in the same kernel, more than asking costs here.
#pragma once

#include <chrono>

namespace efl {

class Eager {
 public:
  // What comes next on this thread's queue is expected within moments.
  static void Expect() { until() = Clock::now() + kMoments; }
  static bool On() {
    if (until() == Clock::time_point()) return false;
    if (Clock::now() < until()) return true;
    until() = Clock::time_point();
    return false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds kMoments{200};

  static Clock::time_point& until() {
    static thread_local Clock::time_point value;
    return value;
  }
};

}  // namespace efl
