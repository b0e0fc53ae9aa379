#include "governance/ledger_tail.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"

namespace efl {
namespace {

// Two lines and what is torn are found in this, or the file isn't a ledger.
constexpr int64_t kMostRead = 8 << 20;

Status Read(int fd, int64_t from, std::string* bytes) {
  size_t done = 0;
  while (done < bytes->size()) {
    const ssize_t count =
        pread(fd, bytes->data() + done, bytes->size() - done, from + static_cast<int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      return {Code::kInternal,
              absl::StrCat("can't be read: ", count < 0 ? std::strerror(errno) : "cut short")};
    }
    done += static_cast<size_t>(count);
  }
  return {};
}

bool IsTorn(std::string_view line) {
  return line.size() >= kTornMark.size() &&
         line.substr(line.size() - kTornMark.size()) == kTornMark;
}

// Those that end in a line feed, without it. Where the bytes don't begin with a line, without it.
std::vector<std::string_view> Lines(std::string_view bytes, bool begins_with_line) {
  std::vector<std::string_view> lines;
  size_t begin = 0;
  for (size_t feed; (feed = bytes.find('\n', begin)) != std::string_view::npos; begin = feed + 1) {
    lines.push_back(bytes.substr(begin, feed - begin));
  }
  if (!begins_with_line && !lines.empty()) lines.erase(lines.begin());
  return lines;
}

Status Changed(const std::string& what) {
  return {Code::kFailedPrecondition,
          absl::StrCat(what,
                       ": it isn't an audit ledger, or it was changed or damaged. "
                       "scripts/audit says where; move it away to begin a new one")};
}

// Of a file that holds no whole line.
Status CheckBeginning(std::string_view torn) {
  const std::string_view begin = R"({"seq":1,)";
  if (torn.substr(0, begin.size()) == begin.substr(0, torn.size())) return {};
  return Changed("it doesn't begin with a line of a ledger");
}

}  // namespace

Status ReadLedgerTail(int fd, int64_t size, LedgerTail* tail) {
  *tail = {};
  const int64_t from = std::max<int64_t>(0, size - kMostRead);
  std::string bytes(static_cast<size_t>(size - from), '\0');
  if (Status status = Read(fd, from, &bytes); !status.ok()) return status;
  const std::vector<std::string_view> lines = Lines(bytes, from == 0);
  // The last `count` lines before this one are torn.
  const auto torn_before = [&lines](size_t end) {
    size_t count = 0;
    while (count < end && IsTorn(lines[end - count - 1])) ++count;
    return count;
  };
  const size_t whole = lines.size() - torn_before(lines.size());
  if (whole == 0) {
    if (from > 0) return Changed("its end is no line");
    tail->torn = bytes;
    return CheckBeginning(bytes);
  }
  const std::string_view last = lines[whole - 1];
  tail->torn = bytes.substr(static_cast<size_t>(last.data() - bytes.data()) + last.size() + 1);
  if (!ReadLedgerLine(last, &tail->head)) return Changed("its last line is none of a ledger");
  const size_t earlier = whole - 1 - torn_before(whole - 1);
  LedgerHead before;
  if (earlier == 0 && from > 0) return {};  // the audit looks further back
  const bool known = earlier == 0 || ReadLedgerLine(lines[earlier - 1], &before);
  if (!known || before.lines + 1 != tail->head.lines || !FollowsInChain(last, before.hash)) {
    return Changed("its last line doesn't follow from the one before");
  }
  return {};
}

}  // namespace efl
