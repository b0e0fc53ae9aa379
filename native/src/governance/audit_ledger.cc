#include "governance/audit_ledger.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "governance/ledger_tail.h"
#include "governance/sha256.h"

namespace efl {
namespace {

constexpr std::chrono::seconds kSyncEvery{1};
// Names may be long; the end of a ledger has to be found again.
constexpr size_t kLongestLine = 1 << 20;

Code CodeOf(int error) {
  return error == ENOSPC || error == EDQUOT || error == EFBIG ? Code::kResourceExhausted
                                                              : Code::kInternal;
}

}  // namespace

AuditLedger::AuditLedger(std::string file, int fd, off_t size)
    : file_(std::move(file)), fd_(fd), size_(size) {}

std::unique_ptr<AuditLedger> AuditLedger::Open(const std::string& file, Status* status) {
  const auto fail = [&](Code code, const std::string& why) {
    *status = {code, absl::StrCat("EFL_AUDIT_LOG (audit_log) '", file, "': ", why)};
    return nullptr;
  };
  const int fd = open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
  if (fd < 0) {
    return fail(Code::kInvalidArgument, absl::StrCat("can't be opened: ", std::strerror(errno)));
  }
  std::unique_ptr<AuditLedger> made(new AuditLedger(file, fd, 0));
  struct stat about {};
  if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
    return fail(Code::kInvalidArgument, "expected a file, not a directory or a device");
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return fail(Code::kFailedPrecondition,
                "another process, or another node of this one, is writing it: a ledger belongs to "
                "one node");
  }
  // Whoever had it may have written until it was locked here.
  if (fstat(fd, &about) != 0) return fail(Code::kInternal, std::strerror(errno));
  LedgerTail tail;
  if (Status wrong = ReadLedgerTail(fd, about.st_size, &tail); !wrong.ok()) {
    return fail(wrong.code(), wrong.message());
  }
  made->size_ = about.st_size;
  made->head_ = std::move(tail.head);
  made->torn_ = std::move(tail.torn);
  if (!made->torn_.empty()) {
    Log(LogLevel::kWarning,
        absl::StrCat("audit ledger ", file, ": what was being written last is torn (",
                     made->torn_.size(), " bytes); it is kept, and the next line says so"));
  }
  made->syncs_ = std::thread([ledger = made.get()] { ledger->SyncNowAndThen(); });
  *status = {};
  return made;
}

AuditLedger::~AuditLedger() {
  Close();
  close(fd_);
}

Status AuditLedger::Failed(Code code, const std::string& why) const {
  return {code, absl::StrCat("the audit ledger ", file_,
                             " can't be written, and nothing leaves or "
                             "arrives unrecorded: ",
                             why)};
}

Status AuditLedger::CheckUsable() {
  if (closed_) return Failed(Code::kFailedPrecondition, "it is closed");
  if (!broken_.ok()) return broken_;
  struct stat about {};
  if (fstat(fd_, &about) != 0) {
    broken_ = Failed(Code::kInternal, std::strerror(errno));
  } else if (about.st_nlink == 0) {
    broken_ = Failed(Code::kFailedPrecondition, "somebody has removed it");
  } else if (about.st_size != size_) {
    broken_ = Failed(Code::kFailedPrecondition,
                     absl::StrCat("somebody has changed it: it has ", about.st_size,
                                  " bytes, and not the ", size_, " written"));
  }
  return broken_;
}

// What was written of something that can't be finished is torn from then on.
Status AuditLedger::Write(std::string_view bytes) {
  size_t done = 0;
  int error = 0;
  while (done < bytes.size() && error == 0) {
    const ssize_t count = write(fd_, bytes.data() + done, bytes.size() - done);
    if (count >= 0) done += static_cast<size_t>(count);
    if (count == 0 || (count < 0 && errno != EINTR)) error = count == 0 ? ENOSPC : errno;
  }
  size_ += static_cast<off_t>(done);
  unsynced_ = unsynced_ || done > 0;
  if (error == 0) return {};
  torn_ += bytes.substr(0, done);
  const Status status = Failed(CodeOf(error), std::strerror(error));
  if (status.code() == Code::kInternal) broken_ = status;
  return status;
}

Status AuditLedger::MendTorn() {
  if (torn_.empty()) return {};
  const std::string mark = absl::StrCat(std::string(kTornMark), "\n");
  const bool marked = torn_.size() >= mark.size() &&
                      torn_.compare(torn_.size() - mark.size(), mark.size(), mark) == 0;
  if (!marked) {
    if (Status status = Write(mark); !status.ok()) return status;
    torn_ += mark;
  }
  LedgerHead head = head_;
  const std::string line = MakeLedgerLine(absl::StrCat(R"("event":"torn","bytes":)", torn_.size(),
                                                       R"(,"sha256":")", Sha256Hex({torn_}), "\""),
                                          &head);
  if (Status status = Write(line); !status.ok()) return status;
  torn_.clear();
  head_ = std::move(head);
  return {};
}

Status AuditLedger::AppendLine(std::string_view members) {
  if (members.size() > kLongestLine) {
    return {Code::kResourceExhausted, absl::StrCat("a name or shape of ", members.size(),
                                                   " bytes is too long for the audit ledger")};
  }
  if (Status status = MendTorn(); !status.ok()) return status;
  LedgerHead head = head_;
  const std::string line = MakeLedgerLine(members, &head);
  if (line.empty()) return Failed(Code::kInternal, "OpenSSL makes no SHA-256");
  if (Status status = Write(line); !status.ok()) return status;
  head_ = std::move(head);
  return {};
}

Status AuditLedger::Append(std::string_view members) {
  std::lock_guard<std::mutex> lock(mutex_);
  Status status = CheckUsable();
  return status.ok() ? AppendLine(members) : status;
}

LedgerHead AuditLedger::head() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return head_;
}

// Not under the lock while the disk writes.
void AuditLedger::SyncNowAndThen() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!closed_ || unsynced_) {
    changed_.wait_for(lock, kSyncEvery, [this] { return closed_; });
    if (!unsynced_) continue;
    unsynced_ = false;
    lock.unlock();
    const int error = fdatasync(fd_) == 0 ? 0 : errno;
    lock.lock();
    if (error == 0 || !broken_.ok()) continue;
    // Whatever it was for: what was written before may be lost.
    broken_ = Failed(Code::kInternal, std::strerror(error));
    const std::string said = broken_.message();
    lock.unlock();
    Log(LogLevel::kError, said);
    lock.lock();
  }
}

Status AuditLedger::Close(std::string_view last_members) {
  Status status;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return {};
    if (!last_members.empty()) status = CheckUsable();
    if (!last_members.empty() && status.ok()) status = AppendLine(last_members);
    closed_ = true;
    changed_.notify_all();
  }
  // Writes to the disk once more on its way out.
  if (syncs_.joinable()) syncs_.join();
  flock(fd_, LOCK_UN);
  std::lock_guard<std::mutex> lock(mutex_);
  return status.ok() ? broken_ : status;
}

}  // namespace efl
