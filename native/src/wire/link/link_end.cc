// How a link ends.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "wire/link/link_connection.h"
#include "wire/link/link_question.h"

namespace efl {

void Link::OnViolation(const ConnectionPtr& connection, const std::string& what) {
  const Status status(Code::kInternal, absl::StrCat("the peer breaks the link protocol: ", what));
  Log(LogLevel::kError, absl::StrCat("link: ", status.message()));
  connection->Close(status);
  LoseWith(connection, status);
}

std::function<void()> Link::Detach(const Status& status) {
  std::lock_guard<std::mutex> lock(mutex_);
  return DetachLocked(status);
}

std::function<void()> Link::DetachLocked(const Status& status) {
  // What of the link has to be ended, without its lock.
  struct Remains {
    std::vector<Outgoing::Transfer> outgoing;
    std::vector<OperationPtr> operations;
    std::vector<IncomingPtr> incoming;
    std::vector<std::shared_ptr<LinkQuestion>> questions;
    std::deque<Sequenced> log;
    std::vector<ConnectionPtr> connections;
  };
  const auto remains = std::make_shared<Remains>();
  remains->outgoing = outgoing_.RemoveAll();
  for (auto& [id, operation] : calls_) remains->operations.push_back(std::move(operation));
  if (connecting_.operation != nullptr) {
    remains->operations.push_back(std::exchange(connecting_, {}).operation);
  }
  for (auto& [id, transfer] : incoming_) remains->incoming.push_back(std::move(transfer));
  for (auto& [id, weak] : questions_) {
    if (auto question = weak.lock()) remains->questions.push_back(std::move(question));
  }
  remains->log = std::exchange(log_, {});
  remains->connections = std::exchange(connections_, {});
  phase_ = Phase::kIdle;
  session_ = 0;
  ++life_;
  ++epoch_;
  calls_.clear();
  incoming_.clear();
  questions_.clear();
  uncredited_.clear();
  credits_.clear();
  uncredited_bytes_ = 0;
  credits_due_ = false;
  answers_untaken_ = 0;
  log_begin_ = log_sent_ = taken_ = told_ = last_opened_ = last_incoming_ = last_call_ = 0;
  say_taken_ = false;
  said_.notify_all();
  return [remains, status] {
    for (const ConnectionPtr& connection : remains->connections) {
      if (connection != nullptr) connection->Close(status);
    }
    for (const Sequenced& sequenced : remains->log) {
      if (sequenced.taken) sequenced.taken(false);
    }
    for (const IncomingPtr& transfer : remains->incoming) transfer->GiveUp(status);
    for (const auto& question : remains->questions) question->GiveUp();
    for (const Outgoing::Transfer& transfer : remains->outgoing) transfer.operation->TryEnd(status);
    for (const OperationPtr& operation : remains->operations) operation->TryEnd(status);
  };
}

Status Link::TooLate(const std::string& why) const {
  return {Code::kUnavailable, absl::StrCat("the connection broke (", down_cause_.message(),
                                           ") and could not be made again within ",
                                           options_.reconnect_timeout_ms, " ms: ", why)};
}

void Link::LoseWith(const ConnectionPtr& connection, const Status& status) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (IsAttached(*connection)) LoseLocked(status, &lock);
}

void Link::LoseInLife(uint64_t life, const Status& status) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (life_ == life) LoseLocked(status, &lock);
}

void Link::Lose(const Status& status, uint64_t epoch) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (epoch_ == epoch) LoseLocked(status, &lock);
}

// The host hears of it before any operation ends: whoever hears of that may connect again.
void Link::LoseLocked(const Status& status, std::unique_lock<std::mutex>* lock) {
  const std::function<void()> end = DetachLocked(status);
  lock->unlock();
  host_->OnLinkLost(status);
  end();
}

}  // namespace efl
