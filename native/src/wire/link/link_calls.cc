// What either party asks over a link, and the answers.
#include <utility>

#include "absl/strings/str_cat.h"
#include "wire/link/link.h"
#include "wire/link/link_question.h"
#include "wire/messages.h"

namespace efl {
namespace {

// Questions of the peer that wait for an answer.
constexpr size_t kMostQuestions = 1024;

}  // namespace

void Link::AskReaderState(const Errand& errand, const std::string& dataset) {
  LinkCall call;
  call.set_reader_state(dataset);
  Ask(errand, std::move(call));
}

void Link::AskCheckpointVersion(const Errand& errand) {
  LinkCall call;
  call.set_checkpoint_version(true);
  Ask(errand, std::move(call));
}

void Link::Ask(const Errand& errand, LinkCall call) {
  uint64_t id = 0;
  uint64_t life = 0;
  Status refused;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    life = life_;
    if (phase_ != Phase::kUp && phase_ != Phase::kDown) {
      refused = {Code::kUnavailable, "Not connected any more."};
    } else if (log_.size() >= kMostLogged) {
      refused = {Code::kResourceExhausted,
                 absl::StrCat("the peer has yet to take ", kMostLogged, " frames")};
    } else {
      id = ++last_call_;
      call.set_call(id);
      calls_[id] = errand.operation;
      *Append()->mutable_call() = std::move(call);
    }
  }
  if (!refused.ok()) {
    errand.operation->TryEnd(refused);
    return;
  }
  errand.slot->Hold(
      std::make_shared<CancelBy>([this, life, id](const Status&) { CancelAsk(life, id); }));
  Pump();
}

void Link::CancelAsk(uint64_t life, uint64_t call) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (life != life_ || calls_.erase(call) == 0) return;
    Append()->mutable_call_cancel()->set_call(call);
  }
  Pump();
}

void Link::Reply(uint64_t life, uint64_t call, const Status& status, const Outcome& outcome,
                 std::function<void(bool)> sent) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    // Gone with the link, or called off.
    if (life == life_ && questions_.erase(call) > 0) {
      ++answers_untaken_;
      LinkReply* reply = Append(std::exchange(sent, nullptr))->mutable_reply();
      reply->set_call(call);
      SetOutcome(status, reply);
      reply->set_text(outcome.text);
      reply->set_index(outcome.index);
    }
  }
  if (sent) sent(false);
  Pump();
}

void Link::OnCall(const Since& since, const LinkCall& call) {
  const auto question = std::make_shared<LinkQuestion>(weak_from_this(), since.life, call.call());
  bool full = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (since.life != life_) return;
    full = questions_.size() >= kMostQuestions;
    questions_[call.call()] = question;
  }
  if (full) {
    question->Answer({Code::kResourceExhausted, "too many questions wait for an answer"}, {},
                     nullptr);
  } else if (call.has_reader_state()) {
    inbound_->OnReaderStateQuestion(call.reader_state(), question, since.admission);
  } else if (call.has_checkpoint_version()) {
    inbound_->OnCheckpointQuestion(question, since.admission);
  } else {
    question->Answer({Code::kUnimplemented, "a question that this party doesn't know"}, {},
                     nullptr);
  }
}

void Link::OnCallCancel(const Since& since, const LinkCallCancel& cancel) {
  std::shared_ptr<LinkQuestion> question;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (since.life != life_) return;
    const auto at = questions_.find(cancel.call());
    if (at == questions_.end()) return;
    question = at->second.lock();
    questions_.erase(at);
  }
  if (question != nullptr) question->GiveUp();
}

void Link::OnReply(const Since& since, const LinkReply& reply) {
  OperationPtr operation;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (since.life != life_) return;
    say_taken_ = true;
    const auto at = calls_.find(reply.call());
    if (at == calls_.end()) return;
    operation = std::move(at->second);
    calls_.erase(at);
  }
  operation->TryEnd(OutcomeOf(reply), {reply.text(), reply.index()});
}

}  // namespace efl
