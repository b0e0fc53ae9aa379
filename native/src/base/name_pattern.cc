#include "base/name_pattern.h"

#include <fnmatch.h>
#include <locale.h>

#include <algorithm>

#include "base/utf8.h"

namespace efl {
namespace {

// fnmatch goes by the thread's locale.
class Utf8Locale {
 public:
  Utf8Locale() : previous_(uselocale(TheLocale())) {}
  ~Utf8Locale() { uselocale(previous_); }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  static locale_t TheLocale() {
    static const locale_t made = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr);
    return made;  // null leaves the thread's as it is
  }
  const locale_t previous_;
};

// Where the bracket that opens at `open` is closed; npos: nowhere. A ']' that comes first is meant
// as it stands.
size_t ClosingBracket(const std::string& pattern, size_t open) {
  size_t at = open + 1;
  if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^')) ++at;
  for (bool first = true; at < pattern.size(); ++at, first = false) {
    if (pattern[at] == '\\') {
      ++at;
    } else if (pattern[at] == ']' && !first) {
      return at;
    }
  }
  return std::string::npos;
}

}  // namespace

Status CheckNamePattern(const std::string& pattern) {
  const auto wrong = [](const char* why) { return Status(Code::kInvalidArgument, why); };
  if (pattern.empty()) return wrong("a pattern is missing");
  if (!IsUtf8(pattern)) return wrong("a pattern is UTF-8 text");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
  if (std::any_of(pattern.begin(), pattern.end(), is_control)) {
    return wrong("a pattern has no control characters");
  }
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '\\') {
      if (++at == pattern.size()) return wrong("a pattern doesn't end in a backslash");
      continue;
    }
    if (pattern[at] != '[') continue;
    at = ClosingBracket(pattern, at);
    if (at == std::string::npos) return wrong("a bracket isn't closed");
  }
  return {};
}

bool NameFits(const std::string& pattern, const std::string& name, bool if_unknown) {
  if (!IsUtf8(name)) return if_unknown;
  const Utf8Locale locale;
  const int outcome = fnmatch(pattern.c_str(), name.c_str(), 0);
  return outcome == 0 || (outcome != FNM_NOMATCH && if_unknown);
}

}  // namespace efl
