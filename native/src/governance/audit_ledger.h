// A file that lines are added to, each chained to the one before. docs/governance.md has its
// format.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/status.h"
#include "governance/ledger_line.h"

namespace efl {

// Thread-safe. Lines reach the file before Append returns, and the disk within a second, or with
// Close.
class AuditLedger {
 public:
  // Makes the file, or goes on where it ends. It is locked: another process or node is refused.
  // Null and the reason, with the file, when it can't be used.
  static std::unique_ptr<AuditLedger> Open(const std::string& file, Status* status);
  ~AuditLedger();
  AuditLedger(const AuditLedger&) = delete;
  AuditLedger& operator=(const AuditLedger&) = delete;

  // One line of these members, as JSON without braces. Not OK: it isn't in the ledger.
  // RESOURCE_EXHAUSTED when there is no room; later ones may have it. After FAILED_PRECONDITION
  // (the file was changed by somebody else) and INTERNAL every later one fails too.
  Status Append(std::string_view members);

  LedgerHead head() const;
  const std::string& file() const { return file_; }

  // Adds this line, if any, writes all to the disk and lets go of the file. Append fails
  // afterwards, and a second Close does nothing. Not OK: the last line, or one before it, isn't
  // there.
  Status Close(std::string_view last_members = {});

 private:
  AuditLedger(std::string file, int fd, off_t size);

  Status Failed(Code code, const std::string& why) const;
  // Under the lock.
  Status CheckUsable();
  Status Write(std::string_view bytes);
  Status MendTorn();
  Status AppendLine(std::string_view members);
  void SyncNowAndThen();

  const std::string file_;
  const int fd_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  LedgerHead head_;
  std::string torn_;  // what stands in the file after the last whole line
  off_t size_;
  Status broken_;
  bool unsynced_ = false;
  bool closed_ = false;
  std::thread syncs_;
};

}  // namespace efl
