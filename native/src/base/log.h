// Log lines of the kernel. Never tensor contents.
#pragma once

#include <functional>
#include <string>

namespace efl {

enum class LogLevel : int { kDebug = 0, kInfo = 1, kWarning = 2, kError = 3 };

using LogSink = std::function<void(LogLevel, const std::string&)>;

// Where lines of at least this level go from now on; an empty sink: standard error. Lines that are
// being written meanwhile may still reach the sink before.
void SetLog(LogSink sink, LogLevel min_level);

void Log(LogLevel level, const std::string& message);

}  // namespace efl
