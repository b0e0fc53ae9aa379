// Knows every pending operation of a node and ends what is overdue, or whose group has failed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/operation.h"

namespace efl {

class Monitor : public std::enable_shared_from_this<Monitor> {
 public:
  // To be owned by a shared_ptr: operations may end after their node is gone.
  explicit Monitor(std::chrono::milliseconds scanning_interval);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // Watches it until it ends. Not OK: why not, when its group has already failed, or this many of
  // the owner are pending; the caller then ends it. `owner` marks what AbandonAll of the same owner
  // ends.
  Status Watch(const OperationPtr& operation, const void* owner,
               int64_t most = std::numeric_limits<int64_t>::max());

  // The owner closes: ends every pending operation of it.
  void AbandonAll(const void* owner, const Status& status);
  void FailGroup(const void* owner, uint64_t group, const Status& cause);

  int64_t pending(const void* owner) const;

  // Joins the thread. What is still pending stays pending: end it first.
  void Stop();

 private:
  using Clock = Operation::Clock;
  using ByDeadline = std::multimap<Clock::time_point, OperationPtr>;
  struct Entry {
    ByDeadline::iterator place;
    const void* owner;
  };
  struct FailedGroup {
    const void* owner;
    uint64_t group;
    Status cause;
  };

  void Run();
  void Forget(Operation* operation);
  std::vector<OperationPtr> TakeOverdue(Clock::time_point now);

  const std::chrono::milliseconds scanning_interval_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  Clock::time_point wakes_at_ = Clock::time_point::max();
  ByDeadline by_deadline_;
  std::unordered_map<const Operation*, Entry> entries_;
  std::unordered_map<const void*, int64_t> counts_;  // of entries, by owner
  // The latest failures, so that an operation of a failed group that starts late fails too.
  std::deque<FailedGroup> failed_groups_;
  // Owners whose operations end because they close, not because one has failed.
  std::unordered_set<const void*> closed_owners_;
  std::thread thread_;
};

}  // namespace efl
