#include "base/log.h"

#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <utility>

namespace efl {
namespace {

struct Sink {
  std::mutex mutex;
  std::shared_ptr<const LogSink> sink;
};

// Never destroyed: kernel threads may log while the process exits.
Sink& TheSink() {
  static Sink& sink = *new Sink;
  return sink;
}

std::atomic<int> min_level{static_cast<int>(LogLevel::kWarning)};

constexpr const char* kLevelNames[] = {"DEBUG", "INFO", "WARNING", "ERROR"};

}  // namespace

void SetLog(LogSink sink, LogLevel level) {
  auto shared = sink ? std::make_shared<const LogSink>(std::move(sink)) : nullptr;
  Sink& the = TheSink();
  std::lock_guard<std::mutex> lock(the.mutex);
  the.sink = std::move(shared);
  min_level = static_cast<int>(level);
}

void Log(LogLevel level, const std::string& message) {
  if (static_cast<int>(level) < min_level.load(std::memory_order_relaxed)) return;
  std::shared_ptr<const LogSink> sink;
  {
    Sink& the = TheSink();
    std::lock_guard<std::mutex> lock(the.mutex);
    sink = the.sink;
  }
  if (sink != nullptr) {
    (*sink)(level, message);
  } else {
    std::fprintf(stderr, "efl %s %s\n", kLevelNames[static_cast<int>(level)], message.c_str());
  }
}

}  // namespace efl
