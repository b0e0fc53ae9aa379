// The kernel's log lines while this is there.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "base/log.h"
#include "support/pair.h"

namespace efl::test {

class LogLines {
 public:
  explicit LogLines(LogLevel least = LogLevel::kInfo) {
    SetLog(
        [lines = lines_](LogLevel, const std::string& line) {
          std::lock_guard<std::mutex> lock(lines->mutex);
          lines->text += line + "\n";
          lines->more.notify_all();
        },
        least);
  }
  ~LogLines() { SetLog({}, LogLevel::kWarning); }

  // Waits until so many lines hold this text; fails the test when they don't come.
  void Await(const std::string& text, int times = 1) {
    std::unique_lock<std::mutex> lock(lines_->mutex);
    EXPECT_TRUE(lines_->more.wait_for(lock, kLimit, [&] { return CountLocked(text) >= times; }))
        << text << " is not in\n"
        << lines_->text;
  }
  int Count(const std::string& text) {
    std::lock_guard<std::mutex> lock(lines_->mutex);
    return CountLocked(text);
  }

 private:
  int CountLocked(const std::string& text) const {
    int count = 0;
    const std::string& all = lines_->text;
    for (size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) {
      ++count;
    }
    return count;
  }

  // A thread of the kernel may still be about to add a line when this goes.
  struct Lines {
    std::mutex mutex;
    std::condition_variable more;
    std::string text;
  };
  const std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();
};

}  // namespace efl::test
