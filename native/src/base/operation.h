// One asynchronous call of the user, from its start to its one end.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/status.h"

namespace efl {

// What an operation brought, beside a tensor.
struct Outcome {
  std::string text;   // checkpoint version, or block id
  int64_t index = 0;  // sample index
};

class Operation;
using OperationPtr = std::shared_ptr<Operation>;

// Waiting → claimed → ended, or back to waiting. Only the one that claims it may end it, so nobody
// ends an operation while somebody else is using what belongs to it.
class Operation : public std::enable_shared_from_this<Operation> {
 public:
  using Clock = std::chrono::steady_clock;
  using Done = std::function<void(const Status&, const Outcome&)>;

  struct Spec {
    Subject subject;
    uint64_t group = 0;
    int64_t timeout_ms = 0;
    Done done;
  };

  explicit Operation(Spec spec);

  const Subject& subject() const { return spec_.subject; }
  uint64_t group() const { return spec_.group; }
  int64_t timeout_ms() const { return spec_.timeout_ms; }
  Clock::time_point started() const { return started_; }
  Clock::time_point deadline() const { return deadline_; }

  // How to take it out of the place where it waits, when it is ended from outside. Set before the
  // operation gets there; runs without a lock held, at most once, and is dropped with the end.
  void set_abandon(std::function<void(const Status&)> abandon) { abandon_ = std::move(abandon); }
  // Run once each: before `done`, so that who has heard of the end doesn't find it pending any
  // more; and after it, so that what follows from the end is heard of later.
  void set_before_done(std::function<void(Operation*)> before) { before_done_ = std::move(before); }
  void set_after_done(std::function<void(const Status&)> after) { after_done_ = std::move(after); }

  // What it is waiting for, said to the user when it is overdue.
  void set_note(std::string note);
  std::string note() const;

  // True for the first caller, who then has to call End.
  bool Claim() { return !claimed_.exchange(true, std::memory_order_acq_rel); }
  bool claimed() const { return claimed_.load(std::memory_order_acquire); }

  // By the one that claimed it: it waits again. Whoever wanted to abandon it meanwhile has his way
  // now.
  void Unclaim();

  // By the one that claimed it. The status is completed with the subject.
  void End(const Status& status, const Outcome& outcome = {});
  // Claim and End, if nobody else has.
  bool TryEnd(const Status& status, const Outcome& outcome = {});
  // Ends it from outside: as TryEnd, and takes it out of where it waits. While it is claimed that
  // is put off until it is unclaimed, if it ever is.
  bool Abandon(const Status& status);

 private:
  Spec spec_;
  const Clock::time_point started_;
  const Clock::time_point deadline_;
  std::atomic<bool> claimed_{false};
  mutable std::mutex mutex_;
  std::string note_;
  Status put_off_;
  std::function<void(const Status&)> abandon_;
  std::function<void(Operation*)> before_done_;
  std::function<void(const Status&)> after_done_;
};

}  // namespace efl
