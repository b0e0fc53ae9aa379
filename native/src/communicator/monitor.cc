#include "communicator/monitor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/kernel_thread.h"

namespace efl {
namespace {

constexpr size_t kFailedGroupsKept = 64;

Status Overdue(const Operation& operation) {
  const std::chrono::duration<double> waited = Operation::Clock::now() - operation.started();
  const std::string note = operation.note();
  return {Code::kDeadlineExceeded,
          absl::StrFormat("%s after %.1f s (timeout %g s)",
                          note.empty() ? "no answer from the peer" : note, waited.count(),
                          static_cast<double>(operation.timeout_ms()) / 1000)};
}

Status FailedWith(const Status& cause) {
  constexpr const char* kWhy = "ended with the others of its run; ";
  const Status failed(Code::kAborted, absl::StrCat(kWhy, cause.Text()));
  return cause.tells_less() ? failed.Telling(absl::StrCat(kWhy, cause.ToldText())) : failed;
}

}  // namespace

Monitor::Monitor(std::chrono::milliseconds scanning_interval)
    : scanning_interval_(scanning_interval), thread_([this] { Run(); }) {}

Monitor::~Monitor() { Stop(); }

Status Monitor::Watch(const OperationPtr& operation, const void* owner, int64_t most) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (operation->group() != 0) {
    for (const FailedGroup& failed : failed_groups_) {
      if (failed.group == operation->group() && failed.owner == owner) {
        return FailedWith(failed.cause);
      }
    }
  }
  if (counts_[owner] >= most) {
    return {Code::kResourceExhausted,
            absl::StrCat(most, " operations are pending already: max_pending (EFL_MAX_PENDING)")};
  }
  ++counts_[owner];
  operation->set_before_done([weak = weak_from_this()](Operation* ended) {
    if (const auto self = weak.lock()) self->Forget(ended);
  });
  if (const uint64_t group = operation->group(); group != 0) {
    operation->set_after_done([weak = weak_from_this(), owner, group](const Status& status) {
      const auto self = weak.lock();
      if (self != nullptr && !status.ok()) self->FailGroup(owner, group, status);
    });
  }
  const auto place = by_deadline_.emplace(operation->deadline(), operation);
  entries_.emplace(operation.get(), Entry{place, owner});
  if (operation->deadline() < wakes_at_) wake_.notify_one();
  return {};
}

void Monitor::Forget(Operation* operation) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto entry = entries_.find(operation);
  if (entry == entries_.end()) return;
  --counts_[entry->second.owner];
  by_deadline_.erase(entry->second.place);
  entries_.erase(entry);
}

void Monitor::FailGroup(const void* owner, uint64_t group, const Status& cause) {
  if (group == 0) return;
  std::vector<OperationPtr> others;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_owners_.count(owner) > 0) return;
    for (const FailedGroup& failed : failed_groups_) {
      if (failed.group == group && failed.owner == owner) return;
    }
    failed_groups_.push_back({owner, group, cause});
    if (failed_groups_.size() > kFailedGroupsKept) failed_groups_.pop_front();
    for (const auto& [deadline, operation] : by_deadline_) {
      if (operation->group() == group && entries_.at(operation.get()).owner == owner) {
        others.push_back(operation);
      }
    }
  }
  for (const OperationPtr& other : others) other->Abandon(FailedWith(cause));
}

void Monitor::AbandonAll(const void* owner, const Status& status) {
  std::vector<OperationPtr> all;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_owners_.insert(owner);
    for (const auto& [deadline, operation] : by_deadline_) {
      if (entries_.at(operation.get()).owner == owner) all.push_back(operation);
    }
  }
  for (const OperationPtr& operation : all) operation->Abandon(status);
}

int64_t Monitor::pending(const void* owner) const {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto at = counts_.find(owner);
  return at != counts_.end() ? at->second : 0;
}

std::vector<OperationPtr> Monitor::TakeOverdue(Clock::time_point now) {
  std::vector<OperationPtr> overdue;
  for (auto it = by_deadline_.begin(); it != by_deadline_.end() && it->first <= now; ++it) {
    overdue.push_back(it->second);
  }
  return overdue;
}

void Monitor::Run() {
  const KernelScope scope;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    const Clock::time_point now = Clock::now();
    std::vector<OperationPtr> overdue = TakeOverdue(now);
    if (!overdue.empty()) {
      lock.unlock();
      // One that is claimed ends by itself at once, and is off the list before the next scan.
      bool ended = false;
      for (const OperationPtr& operation : overdue) {
        ended = operation->Abandon(Overdue(*operation)) || ended;
      }
      overdue.clear();
      if (!ended) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      lock.lock();
      continue;
    }
    wakes_at_ = now + scanning_interval_;
    if (!by_deadline_.empty()) wakes_at_ = std::min(wakes_at_, by_deadline_.begin()->first);
    wake_.wait_until(lock, wakes_at_);
  }
}

void Monitor::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace efl
