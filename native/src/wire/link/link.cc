// What goes out over a link.
#include "wire/link/link.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "wire/link/link_connection.h"
#include "wire/link/link_thread.h"
#include "wire/messages.h"

namespace efl {
namespace {

// Of one message, with its chunks.
constexpr int kMostFrames = 2048;
constexpr std::chrono::milliseconds kGoodbyeTime{1000};
// A credit has two numbers, a chunk four.
constexpr size_t kCreditBytes = 32, kChunkFrameBytes = 48;

void Spend(size_t bytes, size_t* room) { *room -= std::min(bytes, *room); }

}  // namespace

Link::Link(Client* client, LinkOptions options, Introduction mine, Inbound* inbound, LinkHost* host)
    : client_(client),
      options_(std::move(options)),
      mine_(std::move(mine)),
      inbound_(inbound),
      host_(host),
      patience_(std::chrono::milliseconds(options_.keepalive_timeout_ms)) {}

Link::~Link() = default;

LinkFrame* Link::Append(std::function<void(bool)> taken) {
  log_.push_back({LinkFrame(), std::move(taken)});
  return &log_.back().frame;
}

void Link::SendTensor(const Errand& errand, OutgoingTensor tensor) {
  const TensorInfo& info = tensor.info;
  LinkOpen open;
  open.set_name(info.name);
  open.set_step(static_cast<uint64_t>(info.step));
  open.set_dtype(info.dtype);
  for (int64_t dim : info.dims) open.add_dims(dim);
  open.set_size(info.size);
  open.set_await_consumption(options_.await_consumption);
  if (info.size > 0) open.set_encoding(options_.encodings.For(info.name, info.dtype));
  if (Status status = EncodeContent(open.encoding(), &tensor.payload); !status.ok()) {
    TellFailed(info.name, info.step, status);
    errand.operation->TryEnd(status);
    return;
  }
  open.set_encoded_size(tensor.payload.size());
  errand.operation->set_note(options_.await_consumption ? "the peer has not consumed it"
                                                        : "the peer has not received all of it");
  uint64_t transfer = 0;
  uint64_t life = 0;
  bool up = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    life = life_;
    up = phase_ == Phase::kUp || phase_ == Phase::kDown;
    if (up) transfer = outgoing_.Add(errand.operation, std::move(open), std::move(tensor.payload));
  }
  if (!up) {
    errand.operation->TryEnd({Code::kUnavailable, "Not connected any more."});
    return;
  }
  errand.slot->Hold(std::make_shared<CancelBy>(
      [this, life, transfer](const Status& why) { CancelSend(life, transfer, why); }));
  Pump();
}

void Link::CancelSend(uint64_t life, uint64_t transfer, const Status& why) {
  std::optional<Outgoing::Transfer> removed;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (life != life_) return;
    removed = outgoing_.Remove(transfer);
    if (!removed) return;
    // Of a close the peer learns by the Goodbye.
    if (why.code() == Code::kCancelled) return;
    if (removed->opened) {
      LinkAbort* abort = Append()->mutable_abort();
      abort->set_transfer(transfer);
      SetOutcome(why, abort);
    } else if (log_.size() < kMostLogged) {
      LinkFailed* failed = Append()->mutable_failed();
      failed->set_name(removed->open.name());
      failed->set_step(removed->open.step());
      SetOutcome(why, failed);
    }
  }
  Pump();
}

void Link::TellFailed(const std::string& name, int64_t step, const Status& status) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (phase_ != Phase::kUp && phase_ != Phase::kDown) return;
    if (log_.size() >= kMostLogged) return;  // its receive ends by its timeout
    LinkFailed* failed = Append()->mutable_failed();
    failed->set_name(name);
    failed->set_step(static_cast<uint64_t>(step));
    SetOutcome(status, failed);
  }
  Pump();
}

void Link::SendDone(const IncomingTransfer& transfer, const Status& status) {
  IncomingPtr removed;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto at = incoming_.find(transfer.id());
    if (at == incoming_.end() || at->second.get() != &transfer) return;
    removed = std::move(at->second);
    incoming_.erase(at);
    uncredited_.erase(transfer.id());
    ++answers_untaken_;
    LinkDone* done = Append()->mutable_done();
    done->set_transfer(transfer.id());
    SetOutcome(status, done);
  }
  Pump();
}

void Link::SayGoodbye(const std::string& reason) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (phase_ == Phase::kUp) Append()->mutable_goodbye()->set_reason(reason);
  }
  Pump();
  {
    std::unique_lock<std::mutex> lock(mutex_);
    said_.wait_for(lock, kGoodbyeTime, [this] { return log_.empty() || phase_ != Phase::kUp; });
  }
  Detach({Code::kUnavailable, "the peer has left: closed"})();
}

// The peer has taken this many sequenced frames.
void Link::Taken(uint64_t count, Consequences* then) {
  while (log_begin_ < std::min(count, log_sent_)) {
    const LinkFrame& frame = log_.front().frame;
    if (frame.has_done() || frame.has_reply()) --answers_untaken_;
    if (log_.front().taken) {
      then->push_back([taken = std::move(log_.front().taken)] { taken(true); });
    }
    log_.pop_front();
    ++log_begin_;
  }
  if (log_.empty()) said_.notify_all();
}

void Link::Pump() {
  // What is being worked on ends with a Pump of its own, which then has more to say at once.
  if (LinkThread::Inside(this)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  const std::vector<ConnectionPtr> connections = connections_;
  for (const ConnectionPtr& connection : connections) {
    if (connection == nullptr) continue;
    LinkControl control;
    std::vector<Outgoing::Next> chunks;
    if (!Compose(connection.get(), &control, &chunks)) continue;
    connection->set_writing();
    lock.unlock();
    ChunkData data;
    size_t next = 0;
    for (LinkFrame& frame : *control.mutable_frames()) {
      if (!frame.has_chunk()) continue;
      LinkChunk* chunk = frame.mutable_chunk();
      const Outgoing::Next& planned = chunks[next++];
      const auto* bytes = static_cast<const char*>(planned.payload->data()) + chunk->offset();
      chunk->set_crc32c(Crc32c(bytes, chunk->size()));
      if (planned.slice.size() > 0) {
        data.Add(planned.slice);
      } else {
        data.AddCopy(bytes, chunk->size());
      }
    }
    connection->Write(EncodeLinkMessage(control, std::move(data)));
    chunks.clear();  // may be the last to hold a payload
    lock.lock();
  }
}

bool Link::Compose(Connection* connection, LinkControl* control,
                   std::vector<Outgoing::Next>* chunks) {
  // Others may have replaced it since the caller looked.
  if (!IsAttached(*connection) || !connection->ready() || connection->writing()) return false;
  const bool main = connection->index() == 0;
  // What takes a message takes two chunks: one of frames, give or take the last, and one of bytes.
  size_t room = terms_.chunk_bytes();
  if (main) ComposeFrames(&room, control);
  Connection::Pulse& pulse = connection->pulse;
  // Pings and pongs are heard when all of their message is there.
  if (!pulse.ping_due && pulse.pong_due == 0) ComposeChunks(!main, &room, control, chunks);
  const bool bare = main && std::exchange(say_taken_, false);
  const bool pulses = pulse.ping_due || pulse.pong_due > 0;
  if (!bare && !pulses && control->frames_size() == 0) return false;
  control->set_message(connection->NextMessage());
  control->set_received(taken_);
  if (main) told_ = taken_;
  pulse.said = Clock::now();
  if (std::exchange(pulse.ping_due, false)) {
    pulse.pinged = pulse.said;
    control->set_ping(++pulse.ping);
  }
  control->set_pong(std::exchange(pulse.pong_due, 0));
  return true;
}

void Link::ComposeFrames(size_t* room, LinkControl* control) {
  for (const uint64_t end = log_begin_ + log_.size();
       log_sent_ < end && control->frames_size() < kMostFrames && *room > 0; ++log_sent_) {
    const LinkFrame& frame = log_[log_sent_ - log_begin_].frame;
    *control->add_frames() = frame;
    Spend(frame.ByteSizeLong(), room);
  }
  for (; !credits_.empty() && *room > 0; credits_.pop_front()) {
    *control->add_frames()->mutable_credit() = std::move(credits_.front());
    Spend(kCreditBytes, room);
  }
  if (credits_.empty() && credits_due_) ComposeCredits(room, control);
}

// How far each transfer has come by now, however often it has moved since the last time.
void Link::ComposeCredits(size_t* room, LinkControl* control) {
  while (*room > 0 && !uncredited_.empty()) {
    const auto next = uncredited_.begin();
    const auto at = incoming_.find(*next);
    if (at != incoming_.end() && !at->second->held()) {
      LinkCredit* credit = control->add_frames()->mutable_credit();
      credit->set_transfer(*next);
      credit->set_received(at->second->received());
      Spend(kCreditBytes, room);
    }
    uncredited_.erase(next);
  }
  credits_due_ = !uncredited_.empty();
}

void Link::ComposeChunks(bool only_known, size_t* room, LinkControl* control,
                         std::vector<Outgoing::Next>* chunks) {
  // An Open has to come after all that is sequenced before it.
  if (!only_known && log_sent_ < log_begin_ + log_.size()) return;
  uint64_t bytes = 0;
  Outgoing::Next next;
  while (control->frames_size() < kMostFrames && *room > 0 && bytes < terms_.chunk_bytes() &&
         outgoing_.Take(terms_.chunk_bytes() - bytes, only_known, &next)) {
    if (next.open != nullptr) {
      last_opened_ = next.open->transfer();
      *Append()->mutable_open() = *next.open;
      *control->add_frames()->mutable_open() = *next.open;
      Spend(next.open->ByteSizeLong(), room);
      ++log_sent_;
    }
    if (next.chunk.size() == 0) continue;
    bytes += next.chunk.size();
    *control->add_frames()->mutable_chunk() = next.chunk;
    Spend(kChunkFrameBytes, room);
    chunks->push_back(std::move(next));
  }
}

}  // namespace efl
