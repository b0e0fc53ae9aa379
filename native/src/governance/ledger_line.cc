#include "governance/ledger_line.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "governance/sha256.h"

namespace efl {
namespace {

constexpr std::string_view kSeq = R"({"seq":)";
constexpr std::string_view kHash = R"(,"hash":")";
constexpr std::string_view kEnd = R"("})";
constexpr size_t kHashSize = 64;
// More than any ledger has, so that numbers can go on from it.
constexpr int64_t kMostLines = int64_t{1} << 53;
constexpr size_t kTailSize = kHash.size() + kHashSize + kEnd.size();

// RFC 3339, in UTC, with microseconds.
std::string TimeText() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  char text[64];
  const size_t size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + size, sizeof(text) - size, ".%06ldZ", now.tv_nsec / 1000);
  return text;
}

}  // namespace

std::string MakeLedgerLine(std::string_view members, LedgerHead* head) {
  std::string line = absl::StrCat(R"({"seq":)", head->lines + 1, R"(,"time":")", TimeText(), "\",",
                                  absl::string_view(members.data(), members.size()));
  std::string hash = Sha256Hex({head->hash, line});
  if (hash.empty()) return {};
  absl::StrAppend(&line, R"(,"hash":")", hash, "\"}\n");
  *head = {head->lines + 1, std::move(hash)};
  return line;
}

bool ReadLedgerLine(std::string_view line, LedgerHead* head) {
  if (line.size() < kSeq.size() + kTailSize || line.substr(0, kSeq.size()) != kSeq) return false;
  const std::string_view tail = line.substr(line.size() - kTailSize);
  const std::string_view hash = tail.substr(kHash.size(), kHashSize);
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (tail.substr(0, kHash.size()) != kHash || tail.substr(tail.size() - kEnd.size()) != kEnd ||
      !std::all_of(hash.begin(), hash.end(), is_hex)) {
    return false;
  }
  int64_t seq = 0;
  const auto [at, error] = std::from_chars(line.data() + kSeq.size(), tail.data(), seq);
  if (error != std::errc() || *at != ',' || seq < 1 || seq > kMostLines) return false;
  *head = {seq, std::string(hash)};
  return true;
}

bool FollowsInChain(std::string_view line, std::string_view hash_before) {
  LedgerHead head;
  return ReadLedgerLine(line, &head) &&
         Sha256Hex({hash_before, line.substr(0, line.size() - kTailSize)}) == head.hash;
}

std::string LedgerText(std::string_view text) {
  using Json = nlohmann::json;
  return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace efl
