#include "ledger.h"

#include <cstdio>
#include <sstream>

#include "content.h"
#include "efl/efl.h"

namespace efl::soak {
namespace {

const char* NameOf(Side side) { return side == Side::kLeader ? "leader" : "follower"; }

// What the survivor of a kill may be told.
bool ExplainsAKill(int code) {
  return code == EFL_OK || code == EFL_ABORTED || code == EFL_UNAVAILABLE;
}

}  // namespace

void Ledger::Begin(Side from, uint64_t number) {
  entries_[{from, number}].begun = std::chrono::steady_clock::now();
}

void Ledger::OnLine(Side party, const std::string& line) {
  std::istringstream words(line);
  std::string what;
  uint64_t number = 0;
  Operation operation;
  words >> what >> number >> operation.code;
  const bool sent = what == "SENT";
  if (!sent) words >> operation.found;
  std::getline(words, operation.text);
  operation.ended = true;
  const auto at = entries_.find({sent ? party : Other(party), number});
  if (at == entries_.end()) {
    Complain(&figures_.duplicated, {party, number}, "ended again: " + line);
    return;
  }
  (sent ? at->second.send : at->second.receive) = operation;
  Judge(at);
}

void Ledger::OnKilled(Side party) {
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto next = std::next(at);
    const bool sends = at->first.first == party;
    Operation& its = sends ? at->second.send : at->second.receive;
    its.ended = true;
    // What it had ended well may have been undone with it, for the other party.
    at->second.killed = true;
    Judge(at);
    at = next;
  }
}

void Ledger::Judge(std::map<Key, Entry>::iterator at) {
  const auto& [key, entry] = *at;
  const Operation& send = entry.send;
  const Operation& receive = entry.receive;
  if (!send.ended || !receive.ended) return;
  const bool arrived = receive.code == EFL_OK && !receive.text.empty();
  if (arrived && receive.found == static_cast<int>(Found::kAnother)) {
    Complain(&figures_.duplicated, key, "has brought another one's content");
  } else if (arrived && receive.found == static_cast<int>(Found::kCorrupted)) {
    Complain(&figures_.corrupted, key, "has brought other content");
  } else if (send.code == EFL_OK && arrived && !send.text.empty()) {
    ++figures_.transfers;
  } else if (entry.killed && ExplainsAKill(send.code) && ExplainsAKill(receive.code)) {
    ++figures_.failed;
  } else if (receive.code == EFL_DATA_LOSS && !entry.killed) {
    Complain(&figures_.duplicated, key, "is out of step:" + receive.text + "; sent:" + send.text);
  } else {
    Complain(&figures_.lost, key, "sent:" + send.text + "; received:" + receive.text);
  }
  entries_.erase(at);
}

void Ledger::Complain(uint64_t* count, const Key& key, const std::string& what) {
  ++*count;
  std::fprintf(stderr, "efl_soak: transfer %llu of the %s %s\n",
               static_cast<unsigned long long>(key.second), NameOf(key.first), what.c_str());
}

size_t Ledger::open_from(Side from) const {
  size_t count = 0;
  for (const auto& [key, entry] : entries_) count += key.first == from ? 1 : 0;
  return count;
}

bool Ledger::HasHung(std::chrono::seconds limit) const {
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [key, entry] : entries_) {
    if (now - entry.begun > limit) return true;
  }
  return false;
}

void Ledger::GiveUp() {
  for (const auto& [key, entry] : entries_) {
    Complain(&figures_.hangs, key,
             "hangs; send" + (entry.send.ended ? ":" + entry.send.text : " open") + ", receive" +
                 (entry.receive.ended ? ":" + entry.receive.text : " open"));
  }
  entries_.clear();
}

}  // namespace efl::soak
