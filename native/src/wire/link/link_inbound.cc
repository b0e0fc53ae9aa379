// What comes in over a link.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/utf8.h"
#include "grpc/eager.h"
#include "wire/link/link_connection.h"
#include "wire/link/link_thread.h"
#include "wire/messages.h"

namespace efl {
namespace {

// Credits are given for this part of the window at once, so that it never runs dry.
constexpr uint64_t kCreditsAWindow = 8;
// Frames that a peer doesn't say it has taken: all of them, and those that answer it.
constexpr size_t kMostUntaken = 1 << 20;
constexpr size_t kMostAnswersUntaken = 1 << 17;
// After so many of the peer's that it hasn't been told of, this party says that it has taken them.
constexpr uint64_t kMostUntold = 1 << 14;

// Says that a send has failed, and that nothing is wrong.
bool FailsWithoutFailure(const LinkFrame& frame) {
  return (frame.has_abort() && frame.abort().code() == tensorflow::error::OK) ||
         (frame.has_failed() && frame.failed().code() == tensorflow::error::OK);
}

}  // namespace

void Link::OnMessage(const ConnectionPtr& connection, grpc::ByteBuffer* bytes) {
  LinkControl control;
  LinkMessageReader reader;
  bool ready = false;
  bool none = false;
  size_t longest = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ready = connection->ready();
    none = session_ == 0;
    longest = LongestHandshake();
  }
  // Before anything of it is looked at: it may be anybody's.
  if (!ready && bytes->Length() > longest) {
    // A party that comes back to one that has restarted may have much to say, of a link that is not
    // known here.
    connection->Close({none ? Code::kAborted : Code::kInvalidArgument,
                       absl::StrCat("a connection of a link begins with a handshake, of at most ",
                                    longest, " bytes here and now, not ", bytes->Length())});
    return;
  }
  if (Status status = reader.Read(*bytes, &control); !status.ok()) {
    Break(connection, status);
    return;
  }
  if (!connection->IsNext(control.message())) {
    Break(connection, {Code::kUnknown, "a message was lost on the way"});
    return;
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
    OnHeard(connection, control);
    if (connection->index() == 0) {
      impossible = control.received() > log_sent_;
      if (!impossible) Taken(control.received(), &then);
      impossible =
          impossible || log_.size() > kMostUntaken || answers_untaken_ > kMostAnswersUntaken;
      busy_ = !impossible;
    }
  }
  for (const auto& act : then) act();
  if (!impossible) return true;
  OnViolation(connection, "it takes what wasn't sent, or nothing of what was");
  return false;
}

void Link::Break(const ConnectionPtr& connection, const Status& why) {
  bool counts = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    connection->set_broken();
    counts = connection->ready();  // before, it is anybody's
    if (counts) ++checksum_failures_;
  }
  if (counts) Log(LogLevel::kWarning, absl::StrCat("link: ", why.message(), "; connecting again"));
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
  if (FailsWithoutFailure(frame)) {
    OnViolation(connection, "a send fails with OK");
    return false;
  }
  Since since{0, inbound_->admission()};
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!IsCurrent(*connection)) return false;
    if (frame.has_credit()) {
      outgoing_.Credit(frame.credit());
      return true;
    }
    ++taken_;
    if (taken_ - told_ >= kMostUntold) say_taken_ = true;
    since.life = life_;
  }
  switch (frame.kind_case()) {
    case LinkFrame::kOpen:
    case LinkFrame::kAbort:
    case LinkFrame::kDone:
    case LinkFrame::kFailed:
    case LinkFrame::kCall:
    case LinkFrame::kCallCancel:
    case LinkFrame::kReply:
      OnSequenced(connection, since, frame);
      return true;
    case LinkFrame::kGoodbye:
      // The peer waits to hear that it was heard.
      {
        std::lock_guard<std::mutex> lock(mutex_);
        say_taken_ = true;
        when_idle_.push_back([this, life = since.life,
                              reason = Utf8Prefix(frame.goodbye().reason(), kLongestReason)] {
          Pump();
          // Whatever has become of the connection: it counts as taken.
          LoseInLife(life, {Code::kUnavailable, absl::StrCat("the peer has left: ", reason)});
        });
      }
      return false;
    default:
      OnViolation(connection, "a frame that has no place there");
      return false;
  }
}

void Link::OnSequenced(const ConnectionPtr& connection, const Since& since,
                       const LinkFrame& frame) {
  if (frame.has_open()) {
    OnTensorOpen(connection, since, frame.open());
  } else if (frame.has_abort()) {
    OnAbort(since, frame.abort());
  } else if (frame.has_done()) {
    OnDone(since, frame.done());
  } else if (frame.has_failed()) {
    inbound_->OnSendFailed(frame.failed().name(), static_cast<int64_t>(frame.failed().step()),
                           OutcomeOf(frame.failed()), since.admission);
  } else if (frame.has_call()) {
    OnCall(since, frame.call());
  } else if (frame.has_call_cancel()) {
    OnCallCancel(since, frame.call_cancel());
  } else {
    OnReply(since, frame.reply());
  }
}

void Link::OnTensorOpen(const ConnectionPtr& connection, const Since& since, const LinkOpen& open) {
  IncomingPtr transfer;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (since.life != life_) return;
    // Those between have been given up before they began.
    if (open.transfer() > last_incoming_) {
      last_incoming_ = open.transfer();
      transfer = std::make_shared<IncomingTransfer>(weak_from_this(), open, terms_.chunk_bytes());
      incoming_[open.transfer()] = transfer;
    }
  }
  if (transfer == nullptr) {
    OnViolation(connection, "the numbers of transfers don't grow");
    return;
  }
  inbound_->OnTensor(transfer, since.admission);
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
  uint64_t gained = 0;
  switch (transfer->Take(chunk.offset(), chunk.crc32c(), bytes, &gained)) {
    case IncomingTransfer::Taken::kNew:
      OnChunkTaken(transfer, gained, chunk.offset() == 0);
      return true;
    case IncomingTransfer::Taken::kNotNeeded:
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

// Says how far transfers have come, a few times a window. By what can be said: what lies ahead of
// a hole counts when that is closed.
void Link::OnChunkTaken(const IncomingPtr& transfer, uint64_t gained, bool first) {
  Eager::Expect();
  std::lock_guard<std::mutex> lock(mutex_);
  if (incoming_.count(transfer->id()) == 0) return;  // complete, and told
  uncredited_.insert(transfer->id());
  uncredited_bytes_ += gained;
  // Side connections carry what the receiver is known to have heard of.
  const bool at_once = first && connections_.size() > 1 && connections_[1] != nullptr;
  if (!at_once && uncredited_bytes_ < terms_.window_bytes() / kCreditsAWindow) return;
  uncredited_bytes_ = 0;
  credits_due_ = true;
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

void Link::OnAbort(const Since& since, const LinkAbort& abort) {
  IncomingPtr transfer;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (since.life != life_) return;
    const auto at = incoming_.find(abort.transfer());
    if (at == incoming_.end()) return;
    transfer = std::move(at->second);
    incoming_.erase(at);
    uncredited_.erase(abort.transfer());
  }
  const Status why = OutcomeOf(abort);
  const bool parked =
      transfer->GiveUp({why.code(), absl::StrCat("the peer could not send it: ", why.message())});
  // Its receive is still to come.
  if (parked) {
    inbound_->OnSendFailed(transfer->info().name, transfer->info().step, why, since.admission);
  }
}

void Link::OnDone(const Since& since, const LinkDone& done) {
  std::optional<Outgoing::Transfer> removed;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (since.life != life_) return;
    removed = outgoing_.Remove(done.transfer());
  }
  if (removed) removed->operation->TryEnd(OutcomeOf(done));
}

}  // namespace efl
