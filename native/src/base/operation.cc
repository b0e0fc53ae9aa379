#include "base/operation.h"

#include <utility>

#include "base/kernel_thread.h"

namespace efl {

Operation::Operation(Spec spec)
    : spec_(std::move(spec)),
      started_(Clock::now()),
      deadline_(started_ + std::chrono::milliseconds(spec_.timeout_ms)) {}

void Operation::set_note(std::string note) {
  std::lock_guard<std::mutex> lock(mutex_);
  note_ = std::move(note);
}

std::string Operation::note() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return note_;
}

void Operation::End(const Status& status, const Outcome& outcome) {
  const OperationPtr self = shared_from_this();  // `done` may drop the last other owner
  const Status said = status.About(spec_.subject);
  abandon_ = nullptr;  // may hold what holds the operation
  const KernelScope scope;
  if (before_done_) std::exchange(before_done_, nullptr)(this);
  std::exchange(spec_.done, nullptr)(said, outcome);
  if (after_done_) std::exchange(after_done_, nullptr)(said);
}

bool Operation::TryEnd(const Status& status, const Outcome& outcome) {
  if (!Claim()) return false;
  End(status, outcome);
  return true;
}

void Operation::Unclaim() {
  Status status;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    claimed_.store(false, std::memory_order_release);
    status = put_off_;
  }
  if (!status.ok()) Abandon(status);
}

bool Operation::Abandon(const Status& status) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!Claim()) {
      if (put_off_.ok()) put_off_ = status;
      return false;
    }
  }
  if (abandon_) std::exchange(abandon_, nullptr)(status);
  End(status);
  return true;
}

}  // namespace efl
