// The lines of an audit ledger: what they hold, and how each holds on to the one before.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/tensor.h"

namespace efl {

// Where a chain stands: how many lines there are, and the hash of the last one.
struct LedgerHead {
  int64_t lines = 0;
  std::string hash = std::string(64, '0');
};

// {"seq":<head.lines + 1>,"time":"<now>",<members>,"hash":"<hash>"} and a line feed. The hash is
// SHA-256 of the hash before, as text, and the line up to its own. Sets head to it; empty and no
// change when there is no SHA-256.
std::string MakeLedgerLine(std::string_view members, LedgerHead* head);

// Whether this line, without its line feed, has the form above, with its number and hash.
bool ReadLedgerLine(std::string_view line, LedgerHead* head);
// Whether its hash is right after this one.
bool FollowsInChain(std::string_view line, std::string_view hash_before);

// As a text of JSON, with its quotes; what isn't UTF-8 is replaced.
std::string LedgerText(std::string_view text);

}  // namespace efl
