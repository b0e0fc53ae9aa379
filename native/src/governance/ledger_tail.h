// What a ledger that goes on begins with: the end of the file that is there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "governance/ledger_line.h"

namespace efl {

// What was being written when its process or the disk gave up ends in this mark, which no whole
// line does, as soon as somebody can write again. The line "torn" after it says what it was.
constexpr std::string_view kTornMark = "#torn";

struct LedgerTail {
  LedgerHead head;   // the last whole line
  std::string torn;  // what comes after it
};

// Reads the end of the file, and checks that its last line follows from the one before.
// FAILED_PRECONDITION when the file isn't a ledger, or was changed.
Status ReadLedgerTail(int fd, int64_t size, LedgerTail* tail);

}  // namespace efl
