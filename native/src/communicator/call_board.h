// Answers that this party has posted, and questions of the peer that wait for one, by topic, first
// in first out.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/operation.h"
#include "wire/inbound.h"

namespace efl {

// An operation that ends when the peer has taken this answer.
struct Answer {
  OperationPtr operation;
  Status status;
  Outcome outcome;
  // Run before it leaves; not OK: it doesn't.
  std::function<Status()> record = nullptr;
};
using AnswerPtr = std::shared_ptr<Answer>;

class CallBoard {
 public:
  CallBoard() = default;
  CallBoard(const CallBoard&) = delete;
  CallBoard& operator=(const CallBoard&) = delete;

  // Which topics are open is for the caller to mind. More than a few questions of one topic at once
  // are refused with RESOURCE_EXHAUSTED.
  void Open(const std::string& topic);
  bool IsOpen(const std::string& topic) const;

  void Post(const std::string& topic, const AnswerPtr& answer);
  // `admitted`: when who asks was let in.
  void Ask(const std::string& topic, const QuestionPtr& question, uint64_t admitted = kAlways);
  // An answer that was ended from outside is no longer given.
  void Withdraw(const std::string& topic, const AnswerPtr& answer);

  // The answers that wait for a question.
  std::vector<OperationPtr> Waiting() const;
  // Answers with NotReady what was asked, or still is, by whoever was let in before `admission`,
  // but for the questions of one topic.
  void RefuseQuestions(uint64_t admission, const std::string& except = {});
  // Answers the questions of this topic that wait.
  void Refuse(const std::string& topic, const Status& status);
  // Answers every question that waits, and whatever is still asked.
  void Close(const Status& status);

 private:
  struct Topic {
    std::deque<AnswerPtr> answers;
    std::deque<QuestionPtr> questions;
  };

  static void Give(const AnswerPtr& answer, const QuestionPtr& question);
  void GivenUp(const std::string& topic, const QuestionPtr& question);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Topic> topics_;
  uint64_t admission_ = 0;
  Status closed_;
};

}  // namespace efl
