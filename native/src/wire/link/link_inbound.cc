// What comes in over a link.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "grpc/eager.h"
#include "wire/link/link_connection.h"
#include "wire/link/link_thread.h"
#include "wire/messages.h"

namespace efl {
namespace {

thread_local const void* working_on = nullptr;

// Credits are given for this part of the window at once, so that it never runs dry.
constexpr uint64_t kCreditsAWindow = 8;
// Questions of the peer that wait for an answer.
constexpr size_t kMostQuestions = 1024;
// Frames that a peer doesn't say it has taken.
constexpr size_t kMostUntaken = 1 << 20;

}  // namespace

LinkThread::LinkThread(const void* link) : outer_(std::exchange(working_on, link)) {}
LinkThread::~LinkThread() { working_on = outer_; }
bool LinkThread::Inside(const void* link) { return working_on == link; }

// What the peer asks over a link.
class Link::LinkQuestion final : public Question {
 public:
  LinkQuestion(std::weak_ptr<Link> link, uint64_t life, uint64_t call)
      : link_(std::move(link)), life_(life), call_(call) {}

  void Answer(const Status& status, const Outcome& outcome,
              std::function<void(bool)> sent) override {
    const auto link = link_.lock();
    if (link != nullptr) {
      link->Reply(life_, call_, status, outcome, std::move(sent));
    } else if (sent) {
      sent(false);
    }
  }

  void OnGivenUp(std::function<void()> given_up) override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!gone_) {
        given_up_ = std::move(given_up);
        return;
      }
    }
    given_up();
  }

  void GiveUp() {
    std::function<void()> given_up;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      gone_ = true;
      given_up = std::exchange(given_up_, nullptr);
    }
    if (given_up) given_up();
  }

 private:
  const std::weak_ptr<Link> link_;
  const uint64_t life_;
  const uint64_t call_;
  std::mutex mutex_;
  bool gone_ = false;
  std::function<void()> given_up_;
};

void Link::OnMessage(const ConnectionPtr& connection, grpc::ByteBuffer* bytes) {
  LinkControl control;
  LinkMessageReader reader;
  if (Status status = reader.Read(*bytes, &control); !status.ok()) {
    Break(connection, status);
    return;
  }
  bool ready = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ready = connection->ready();
  }
  if (!ready) {
    OnHandshake(connection, control);
    return;
  }
  if (!BeginMessage(connection, control)) return;
  {
    const LinkThread inside(this);
    for (const LinkFrame& frame : control.frames()) {
      if (!OnFrame(connection, frame, &reader)) break;
    }
  }
  EndMessage(connection);
}

bool Link::BeginMessage(const ConnectionPtr& connection, const LinkControl& control) {
  Consequences then;
  bool impossible = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!IsCurrent(*connection)) return false;
    if (connection->index() == 0) {
      impossible = control.received() > log_sent_ || log_.size() > kMostUntaken;
      busy_ = !impossible;
      if (!impossible) Taken(control.received(), &then);
    }
  }
  if (impossible) {
    OnViolation(connection, "it takes what wasn't sent, or nothing of what was");
    return false;
  }
  for (const auto& act : then) act();
  return true;
}

void Link::Break(const ConnectionPtr& connection, const Status& why) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    connection->set_broken();
  }
  Log(LogLevel::kWarning, absl::StrCat("link: ", why.message(), "; connecting again"));
  connection->Close(why);
}

void Link::EndMessage(const ConnectionPtr& connection) {
  Consequences then;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (connection->index() == 0) {
      busy_ = false;
      idle_.notify_all();
      then = std::exchange(when_idle_, {});
    }
  }
  for (const auto& act : then) act();
  Pump();
}

bool Link::OnFrame(const ConnectionPtr& connection, const LinkFrame& frame,
                   LinkMessageReader* reader) {
  if (frame.has_chunk()) return OnChunk(connection, frame.chunk(), reader);
  if (connection->index() != 0) {
    OnViolation(connection, "a side connection carries chunks alone");
    return false;
  }
  uint64_t life = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!IsCurrent(*connection)) return false;
    if (frame.has_credit()) {
      outgoing_.Credit(frame.credit());
      return true;
    }
    ++taken_;
    life = life_;
  }
  switch (frame.kind_case()) {
    case LinkFrame::kOpen:
    case LinkFrame::kAbort:
    case LinkFrame::kDone:
    case LinkFrame::kFailed:
    case LinkFrame::kCall:
    case LinkFrame::kCallCancel:
    case LinkFrame::kReply:
      OnSequenced(connection, life, frame);
      return true;
    case LinkFrame::kGoodbye:
      // The peer waits to hear that it was heard.
      {
        std::lock_guard<std::mutex> lock(mutex_);
        say_taken_ = true;
        when_idle_.push_back([this, connection, reason = frame.goodbye().reason()] {
          Pump();
          LoseWith(connection, {Code::kUnavailable, absl::StrCat("the peer has left: ", reason)});
        });
      }
      return false;
    default:
      OnViolation(connection, "a frame that has no place there");
      return false;
  }
}

void Link::OnSequenced(const ConnectionPtr& connection, uint64_t life, const LinkFrame& frame) {
  if (frame.has_open()) {
    OnTensorOpen(connection, life, frame.open());
  } else if (frame.has_abort()) {
    OnAbort(frame.abort());
  } else if (frame.has_done()) {
    OnDone(frame.done());
  } else if (frame.has_failed()) {
    inbound_->OnSendFailed(frame.failed().name(), static_cast<int64_t>(frame.failed().step()),
                           OutcomeOf(frame.failed()));
  } else if (frame.has_call()) {
    OnCall(life, frame.call());
  } else if (frame.has_call_cancel()) {
    OnCallCancel(frame.call_cancel());
  } else {
    OnReply(frame.reply());
  }
}

void Link::OnTensorOpen(const ConnectionPtr& connection, uint64_t life, const LinkOpen& open) {
  IncomingPtr transfer;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (life != life_) return;
    if (open.transfer() == last_incoming_ + 1) {
      ++last_incoming_;
      transfer = std::make_shared<IncomingTransfer>(weak_from_this(), open, terms_.chunk_bytes());
      incoming_[open.transfer()] = transfer;
    }
  }
  if (transfer == nullptr) {
    OnViolation(connection, "transfers are numbered one after the other");
    return;
  }
  inbound_->OnTensor(transfer);
  if (open.encoded_size() == 0) transfer->TakeNothing();
}

bool Link::OnChunk(const ConnectionPtr& connection, const LinkChunk& chunk,
                   LinkMessageReader* reader) {
  Span bytes;
  if (!reader->Next(chunk.size(), &bytes)) {
    OnViolation(connection, "a chunk is longer than its message");
    return false;
  }
  IncomingPtr transfer;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!IsCurrent(*connection)) return false;
    const auto at = incoming_.find(chunk.transfer());
    if (at == incoming_.end()) return true;  // it is over, which the peer hasn't heard
    transfer = at->second;
  }
  switch (transfer->Take(chunk.offset(), chunk.crc32c(), bytes)) {
    case IncomingTransfer::Taken::kNew:
    case IncomingTransfer::Taken::kNotNeeded:
      // What wasn't needed was on the way all the same.
      OnChunkTaken(transfer, chunk.size(), chunk.offset() == 0);
      return true;
    case IncomingTransfer::Taken::kHeldBack: {
      std::lock_guard<std::mutex> lock(mutex_);
      LinkCredit credit;
      credit.set_transfer(chunk.transfer());
      credit.set_held(true);
      credits_.push_back(credit);
      // Its receive has come meanwhile, and may have said so before this.
      if (!transfer->held()) {
        credit.set_held(false);
        credits_.push_back(std::move(credit));
      }
      return true;
    }
    case IncomingTransfer::Taken::kDamaged:
      Break(connection, {Code::kDataLoss, "a chunk was damaged on the way"});
      return false;
    case IncomingTransfer::Taken::kImpossible:
      OnViolation(connection, "a chunk lies outside of its tensor, or off its grid");
      return false;
  }
  return true;
}

// Says how far transfers have come, a few times a window.
void Link::OnChunkTaken(const IncomingPtr& transfer, uint64_t size, bool first) {
  Eager::Expect();
  std::vector<IncomingPtr> all;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (incoming_.count(transfer->id()) == 0) return;  // complete, and told
    if (uncredited_.empty() || uncredited_.back() != transfer) uncredited_.push_back(transfer);
    uncredited_bytes_ += size;
    // Side connections carry what the receiver is known to have heard of.
    const bool at_once = first && connections_.size() > 1 && connections_[1] != nullptr;
    if (!at_once && uncredited_bytes_ < terms_.window_bytes() / kCreditsAWindow) return;
    uncredited_bytes_ = 0;
    all = std::exchange(uncredited_, {});
  }
  std::vector<LinkCredit> credits;
  for (const IncomingPtr& one : all) {
    if (one->held()) continue;
    LinkCredit credit;
    credit.set_transfer(one->id());
    credit.set_received(one->received());
    credits.push_back(std::move(credit));
  }
  std::lock_guard<std::mutex> lock(mutex_);
  for (LinkCredit& credit : credits) {
    if (incoming_.count(credit.transfer()) > 0) credits_.push_back(std::move(credit));
  }
}

void Link::OnArrived(IncomingTransfer* transfer) {
  if (!transfer->await_consumption()) SendDone(*transfer, {});
}

void Link::OnAnswered(IncomingTransfer* transfer, const Status& status) {
  SendDone(*transfer, status);
}

void Link::OnWanted(IncomingTransfer* transfer) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (incoming_.count(transfer->id()) == 0) return;
    LinkCredit credit;
    credit.set_transfer(transfer->id());
    credit.set_received(0);
    credits_.push_back(std::move(credit));
  }
  Pump();
}

void Link::OnAbort(const LinkAbort& abort) {
  IncomingPtr transfer;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto at = incoming_.find(abort.transfer());
    if (at == incoming_.end()) return;
    transfer = std::move(at->second);
    incoming_.erase(at);
  }
  const Status why = OutcomeOf(abort);
  const bool parked =
      transfer->GiveUp({why.code(), absl::StrCat("the peer could not send it: ", why.message())});
  // Its receive is still to come.
  if (parked) inbound_->OnSendFailed(transfer->info().name, transfer->info().step, why);
}

void Link::OnDone(const LinkDone& done) {
  std::optional<Outgoing::Transfer> removed;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    removed = outgoing_.Remove(done.transfer());
  }
  if (removed) removed->operation->TryEnd(OutcomeOf(done));
}

void Link::OnCall(uint64_t life, const LinkCall& call) {
  const auto question = std::make_shared<LinkQuestion>(weak_from_this(), life, call.call());
  bool full = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (life != life_) return;
    full = questions_.size() >= kMostQuestions;
    questions_[call.call()] = question;
  }
  if (full) {
    question->Answer({Code::kResourceExhausted, "too many questions wait for an answer"}, {},
                     nullptr);
  } else if (call.has_reader_state()) {
    inbound_->OnReaderStateQuestion(call.reader_state(), question);
  } else {
    inbound_->OnCheckpointQuestion(question);
  }
}

void Link::OnCallCancel(const LinkCallCancel& cancel) {
  std::shared_ptr<LinkQuestion> question;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto at = questions_.find(cancel.call());
    if (at == questions_.end()) return;
    question = at->second.lock();
    questions_.erase(at);
  }
  if (question != nullptr) question->GiveUp();
}

void Link::OnReply(const LinkReply& reply) {
  OperationPtr operation;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    say_taken_ = true;
    const auto at = calls_.find(reply.call());
    if (at == calls_.end()) return;
    operation = std::move(at->second);
    calls_.erase(at);
  }
  operation->TryEnd(OutcomeOf(reply), {reply.text(), reply.index()});
}

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
  log_begin_ = log_sent_ = taken_ = last_opened_ = last_incoming_ = last_call_ = 0;
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

}  // namespace efl
