#include "grpc/refusal_log.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace efl {
namespace {

constexpr const char* kManyReasons = "for many reasons, each of which is in the caller's error";

}  // namespace

void RefusalLog::Note(const std::string& who, const Status& why, Clock::time_point now) {
  Tell(now);
  std::string reason = why.message();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (said_.count(reason) == 0 && said_.size() >= kMost) reason = kManyReasons;
    const auto [at, first] = said_.try_emplace(reason, Said{now, who, 0});
    if (!first) {
      at->second.last_who = who;
      ++at->second.held_back;
      return;
    }
  }
  Log(LogLevel::kWarning, absl::StrCat("refused ", who, ": ", reason));
}

void RefusalLog::Tell(Clock::time_point now) {
  std::vector<std::string> lines;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto at = said_.begin(); at != said_.end();) {
      Said& said = at->second;
      if (now - said.at < kPause) {
        ++at;
      } else if (said.held_back == 0) {
        at = said_.erase(at);
      } else {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - said.at);
        lines.push_back(absl::StrCat("refused ", said.last_who, ", ", said.held_back, " times in ",
                                     seconds.count(), " s: ", at->first));
        said.at = now;
        said.held_back = 0;
        ++at;
      }
    }
  }
  for (const std::string& line : lines) Log(LogLevel::kWarning, line);
}

}  // namespace efl
