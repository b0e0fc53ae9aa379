#include "communicator/call_board.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace efl {
namespace {

// Of one topic. A party asks one at a time; what is more is an attack or a mistake.
constexpr size_t kMostQuestions = 64;

}  // namespace

void CallBoard::Open(const std::string& topic) {
  std::lock_guard<std::mutex> lock(mutex_);
  topics_[topic];
}

bool CallBoard::IsOpen(const std::string& topic) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return topics_.count(topic) > 0;
}

// The answer is off the board by now. Until it has got out its operation can still become overdue.
void CallBoard::Give(const AnswerPtr& answer, const QuestionPtr& question) {
  if (const Status kept = answer->record ? answer->record() : Status(); !kept.ok()) {
    question->Answer(kept, {}, nullptr);
    answer->operation->TryEnd(kept);
    return;
  }
  question->Answer(answer->status, answer->outcome, [answer](bool sent) {
    answer->operation->TryEnd(
        sent ? Status()
             : Status(Code::kUnavailable, "the peer was gone before it had taken the answer"));
  });
}

void CallBoard::Post(const std::string& topic, const AnswerPtr& answer) {
  QuestionPtr question;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    Topic& at = topics_[topic];
    if (answer->operation->claimed()) return;
    if (at.questions.empty()) {
      at.answers.push_back(answer);
      return;
    }
    question = std::move(at.questions.front());
    at.questions.pop_front();
  }
  Give(answer, question);
}

void CallBoard::Ask(const std::string& topic, const QuestionPtr& question, uint64_t admitted) {
  AnswerPtr answer;
  Status refused;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    refused = closed_.ok() && admitted < admission_ ? NotReady() : closed_;
    Topic& at = topics_[topic];
    while (refused.ok() && answer == nullptr && !at.answers.empty()) {
      if (!at.answers.front()->operation->claimed()) answer = std::move(at.answers.front());
      at.answers.pop_front();
    }
    if (refused.ok() && answer == nullptr) {
      if (at.questions.size() < kMostQuestions) {
        at.questions.push_back(question);
      } else {
        refused = {Code::kResourceExhausted, "too many questions of this kind wait already"};
      }
    }
  }
  if (!refused.ok()) {
    question->Answer(refused, {}, nullptr);
  } else if (answer != nullptr) {
    Give(answer, question);
  } else {
    question->OnGivenUp(
        [this, topic, weak = std::weak_ptr<Question>(question)] { GivenUp(topic, weak.lock()); });
  }
}

void CallBoard::GivenUp(const std::string& topic, const QuestionPtr& question) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::deque<QuestionPtr>& questions = topics_[topic].questions;
  questions.erase(std::remove(questions.begin(), questions.end(), question), questions.end());
}

void CallBoard::Withdraw(const std::string& topic, const AnswerPtr& answer) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::deque<AnswerPtr>& answers = topics_[topic].answers;
  answers.erase(std::remove(answers.begin(), answers.end(), answer), answers.end());
}

std::vector<OperationPtr> CallBoard::Waiting() const {
  std::vector<OperationPtr> all;
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [name, topic] : topics_) {
    for (const AnswerPtr& answer : topic.answers) all.push_back(answer->operation);
  }
  return all;
}

void CallBoard::RefuseQuestions(uint64_t admission, const std::string& except) {
  std::vector<QuestionPtr> refused;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    admission_ = admission;
    for (auto& [topic, at] : topics_) {
      if (topic == except) continue;
      refused.insert(refused.end(), at.questions.begin(), at.questions.end());
      at.questions.clear();
    }
  }
  for (const QuestionPtr& question : refused) question->Answer(NotReady(), {}, nullptr);
}

void CallBoard::Refuse(const std::string& topic, const Status& status) {
  std::deque<QuestionPtr> questions;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    questions.swap(topics_[topic].questions);
  }
  for (const QuestionPtr& question : questions) question->Answer(status, {}, nullptr);
}

void CallBoard::Close(const Status& status) {
  std::vector<std::string> names;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_ = status;
    for (const auto& [name, topic] : topics_) names.push_back(name);
  }
  for (const std::string& name : names) Refuse(name, status);
}

}  // namespace efl
