// Says in the log who was refused, and doesn't let whoever is refused again and again fill it.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "base/status.h"

namespace efl {

class RefusalLog {
 public:
  using Clock = std::chrono::steady_clock;
  // The same refusal is said once in this time, and how often it came beside.
  static constexpr std::chrono::seconds kPause{10};
  // Different ones at once; whoever makes up more is told of in one line.
  static constexpr size_t kMost = 32;

  // `who`: "a caller at ADDRESS".
  void Note(const std::string& who, const Status& why, Clock::time_point now = Clock::now());
  // Says what was held back for the pause. Called now and then.
  void Tell(Clock::time_point now = Clock::now());

 private:
  struct Said {
    Clock::time_point at;
    std::string last_who;
    int held_back = 0;
  };

  std::mutex mutex_;
  std::map<std::string, Said> said_;  // by reason
};

}  // namespace efl
