// What goes out over a link.
#include "wire/link/link.h"

#include <utility>

#include "base/crc32c.h"
#include "wire/link/link_connection.h"
#include "wire/link/link_thread.h"
#include "wire/messages.h"

namespace efl {
namespace {

// Of one message, beside its chunks.
constexpr int kMostFrames = 2048;
constexpr size_t kMostFrameBytes = 4 << 20;
constexpr std::chrono::milliseconds kGoodbyeTime{1000};

}  // namespace

Link::Link(Client* client, LinkOptions options, Introduction mine, Inbound* inbound, LinkHost* host)
    : client_(client),
      options_(std::move(options)),
      mine_(std::move(mine)),
      inbound_(inbound),
      host_(host) {}

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
    } else {
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
    LinkFailed* failed = Append()->mutable_failed();
    failed->set_name(name);
    failed->set_step(static_cast<uint64_t>(step));
    SetOutcome(status, failed);
  }
  Pump();
}

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
  {
    std::lock_guard<std::mutex> lock(mutex_);
    life = life_;
    if (phase_ == Phase::kUp || phase_ == Phase::kDown) {
      id = ++last_call_;
      call.set_call(id);
      calls_[id] = errand.operation;
      *Append()->mutable_call() = std::move(call);
    }
  }
  if (id == 0) {
    errand.operation->TryEnd({Code::kUnavailable, "Not connected any more."});
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

void Link::SendDone(const IncomingTransfer& transfer, const Status& status) {
  IncomingPtr removed;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto at = incoming_.find(transfer.id());
    if (at == incoming_.end() || at->second.get() != &transfer) return;
    removed = std::move(at->second);
    incoming_.erase(at);
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
  while (log_begin_ < count && !log_.empty()) {
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
  if (phase_ != Phase::kUp || !connection->ready() || connection->writing()) return false;
  const bool main = connection->index() == 0;
  if (main) ComposeFrames(control);
  ComposeChunks(!main, control, chunks);
  const bool bare = main && std::exchange(say_taken_, false);
  control->set_received(taken_);
  return bare || control->frames_size() > 0;
}

void Link::ComposeFrames(LinkControl* control) {
  size_t bytes = 0;
  for (const uint64_t end = log_begin_ + log_.size();
       log_sent_ < end && control->frames_size() < kMostFrames && bytes < kMostFrameBytes;
       ++log_sent_) {
    *control->add_frames() = log_[log_sent_ - log_begin_].frame;
    bytes += log_[log_sent_ - log_begin_].frame.ByteSizeLong();
  }
  for (LinkCredit& credit : credits_) {
    *control->add_frames()->mutable_credit() = std::move(credit);
  }
  credits_.clear();
}

void Link::ComposeChunks(bool only_known, LinkControl* control,
                         std::vector<Outgoing::Next>* chunks) {
  // An Open has to come after all that is sequenced before it.
  if (!only_known && log_sent_ < log_begin_ + log_.size()) return;
  uint64_t bytes = 0;
  Outgoing::Next next;
  while (control->frames_size() < kMostFrames && bytes < terms_.chunk_bytes() &&
         outgoing_.Take(terms_.chunk_bytes() - bytes, only_known, &next)) {
    if (next.open != nullptr) {
      last_opened_ = next.open->transfer();
      *Append()->mutable_open() = *next.open;
      *control->add_frames()->mutable_open() = *next.open;
      ++log_sent_;
    }
    if (next.chunk.size() == 0) continue;
    bytes += next.chunk.size();
    *control->add_frames()->mutable_chunk() = next.chunk;
    chunks->push_back(std::move(next));
  }
}

}  // namespace efl
