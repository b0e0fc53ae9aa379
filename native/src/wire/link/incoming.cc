#include "wire/link/incoming.h"

#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "wire/link/encoding.h"

namespace efl {
namespace {

// Of one transfer's bookkeeping.
constexpr size_t kOverhead = 1 << 10;
// Of one chunk's, while it is parked.
constexpr size_t kChunkOverhead = 256;
// Chunks that are here before one in front of them: more than the largest window has room for, in
// the shortest chunks that a party of this project takes.
constexpr size_t kMostPieces = 1 << 20;
// More than TensorFlow's own limit.
constexpr int kMaxRank = 254;
// More than any machine's memory; sums of some such stay in range.
constexpr uint64_t kMostBytes = uint64_t{1} << 47;

TensorInfo InfoOf(const LinkOpen& open) {
  return {open.name(),
          static_cast<int64_t>(open.step()),
          open.dtype(),
          {open.dims().begin(), open.dims().end()},
          open.size()};
}

}  // namespace

// What is wrong with the description; the tensor is refused for it, and the link goes on.
Status IncomingTransfer::Check(const LinkOpen& open) {
  Status status;
  if (open.dims_size() > kMaxRank) {
    status = {Code::kUnknown, absl::StrCat("rank ", open.dims_size())};
  } else if (std::max<uint64_t>(open.size(), open.encoded_size()) > kMostBytes) {
    status = {Code::kUnknown, absl::StrCat("a size of ", open.size(), " bytes")};
  } else {
    const TensorInfo info = InfoOf(open);
    status = CheckTensor(info);
    if (status.ok()) status = CheckEncoding(info, open.encoding(), open.encoded_size());
  }
  if (status.ok()) return status;
  return {Code::kUnknown, absl::StrCat("the tensor cannot be decoded: ", status.message())};
}

IncomingTransfer::IncomingTransfer(std::weak_ptr<IncomingEvents> events, const LinkOpen& open,
                                   uint32_t chunk_bytes)
    : events_(std::move(events)),
      id_(open.transfer()),
      info_(InfoOf(open)),
      encoding_(open.encoding()),
      encoded_size_(open.encoded_size()),
      await_consumption_(open.await_consumption()),
      chunk_bytes_(chunk_bytes),
      defect_(Check(open)) {}

size_t IncomingTransfer::cost() const {
  return std::max<size_t>(info_.size, encoded_size_) + kOverhead + info_.name.size() +
         encoded_size_ / chunk_bytes_ * kChunkOverhead;
}

uint64_t IncomingTransfer::received() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return received_;
}

bool IncomingTransfer::held() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return stage_ == Stage::kHeld;
}

LinkCredit IncomingTransfer::Standing() {
  LinkCredit credit;
  std::lock_guard<std::mutex> lock(mutex_);
  credit.set_transfer(id_);
  credit.set_received(received_);
  credit.set_held(stage_ == Stage::kHeld);
  if (credit.held()) held_told_ = true;
  return credit;
}

bool IncomingTransfer::Claim(uint64_t offset, uint64_t size) {
  if (offset < received_ || !pieces_.insert({offset, {size, false}}).second) return false;
  ++writers_;
  return true;
}

IncomingTransfer::Taken IncomingTransfer::Take(uint64_t offset, uint32_t crc, const Span& bytes,
                                               uint64_t* gained) {
  *gained = 0;
  const uint64_t size = bytes.size();
  if (offset % chunk_bytes_ != 0 || offset >= encoded_size_ ||
      size != std::min<uint64_t>(chunk_bytes_, encoded_size_ - offset)) {
    return Taken::kImpossible;
  }
  char* to = nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stage_ == Stage::kOver) return Taken::kNotNeeded;
    if (stage_ == Stage::kHeld) {
      return std::exchange(held_told_, true) ? Taken::kNotNeeded : Taken::kHeldBack;
    }
    if (pieces_.size() >= kMostPieces) return Taken::kImpossible;
    if (!Claim(offset, size)) return Taken::kNotNeeded;
    if (stage_ == Stage::kLanding) to = writes_to_ + offset;
  }
  Span kept;
  bool right = false;
  if (to != nullptr) {
    right = bytes.CopyTo(to, OutgrowsCache(encoded_size_)) == crc;
  } else {
    kept = bytes.ToKeep();
    right = kept.Crc32c() == crc;
  }
  std::unique_lock<std::mutex> lock(mutex_);
  if (to == nullptr && right && stage_ != Stage::kOver) parked_.emplace(offset, std::move(kept));
  *gained = Commit(offset, right, &lock);
  return right ? Taken::kNew : Taken::kDamaged;
}

void IncomingTransfer::TakeNothing() {
  std::unique_lock<std::mutex> lock(mutex_);
  Settle(&lock);
}

uint64_t IncomingTransfer::Commit(uint64_t offset, bool ok, std::unique_lock<std::mutex>* lock) {
  --writers_;
  if (ok) {
    pieces_[offset].here = true;
  } else {
    pieces_.erase(offset);
  }
  const uint64_t before = received_;
  for (auto next = pieces_.begin();
       next != pieces_.end() && next->first == received_ && next->second.here;
       next = pieces_.erase(next)) {
    received_ += next->second.size;
  }
  const uint64_t gained = received_ - before;
  Settle(lock);
  return gained;
}

bool IncomingTransfer::Complete() const { return received_ == encoded_size_ && writers_ == 0; }

// After each change: moves on what can move on. Leaves the lock open when something is told.
void IncomingTransfer::Settle(std::unique_lock<std::mutex>* lock) {
  if (writers_ == 0) no_writers_.notify_all();
  if (stage_ == Stage::kLanding && !parked_.empty()) CopyParked(lock);
  if (stage_ == Stage::kOver || !Complete()) return;
  if (stage_ == Stage::kLanding && parked_.empty()) {
    stage_ = Stage::kOver;
    const auto landed = std::exchange(landed_, nullptr);
    // Who stops it waits for this too: it works in the receive's memory.
    ++writers_;
    lock->unlock();
    const Status status = FinishContent();
    lock->lock();
    if (--writers_ == 0) no_writers_.notify_all();
    lock->unlock();
    landed(status);
    return;
  }
  if (stage_ == Stage::kParking && !arrived_) {
    lock->unlock();
    TellArrived();
  }
}

// What came before its receive.
void IncomingTransfer::CopyParked(std::unique_lock<std::mutex>* lock) {
  const auto parked = std::exchange(parked_, {});
  ++writers_;
  lock->unlock();
  for (const auto& [offset, bytes] : parked) {
    bytes.CopyTo(writes_to_ + offset, OutgrowsCache(encoded_size_));
  }
  lock->lock();
  if (--writers_ == 0) no_writers_.notify_all();
}

Status IncomingTransfer::FinishContent() {
  if (encoding_ != LINK_ENCODING_NONE) {
    Status status = DecodeContent(info_, encoding_, encoded_.get(), encoded_size_, to_);
    encoded_.reset();
    if (!status.ok()) return status;
  }
  if (info_.dtype == kString && !StringLengthsFit(to_, info_.size, ElementCount(info_.dims))) {
    return {Code::kUnknown,
            "the tensor cannot be decoded: the lengths of its strings don't fit its content"};
  }
  return {};
}

void IncomingTransfer::TellArrived() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (std::exchange(arrived_, true)) return;
  }
  if (const auto events = events_.lock()) events->OnArrived(this);
}

void IncomingTransfer::Hold() {
  std::lock_guard<std::mutex> lock(mutex_);
  // Landing, or here already: then there is room.
  if (stage_ == Stage::kParking && received_ == 0 && writers_ == 0 && !Complete()) {
    stage_ = Stage::kHeld;
  }
}

void IncomingTransfer::Land(void* to, std::function<void(const Status&)> landed) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (stage_ == Stage::kOver) {
    const Status why = given_up_why_;
    lock.unlock();
    landed(why);
    return;
  }
  to_ = static_cast<char*>(to);
  writes_to_ = to_;
  if (encoding_ != LINK_ENCODING_NONE) {
    encoded_.reset(new (std::nothrow) char[encoded_size_]);
    writes_to_ = encoded_.get();
    if (writes_to_ == nullptr) {
      stage_ = Stage::kOver;
      lock.unlock();
      landed({Code::kResourceExhausted,
              absl::StrCat("the receiver has no room for ", encoded_size_, " encoded bytes")});
      return;
    }
  }
  landed_ = std::move(landed);
  stage_ = Stage::kLanding;
  given_up_ = nullptr;
  if (std::exchange(held_told_, false)) {
    lock.unlock();
    if (const auto events = events_.lock()) events->OnWanted(this);
    return;
  }
  Settle(&lock);
}

void IncomingTransfer::Stop(const Status& why) {
  std::function<void(const Status&)> dropped;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    stage_ = Stage::kOver;
    given_up_why_ = why;
    dropped = std::exchange(landed_, nullptr);
    no_writers_.wait(lock, [this] { return writers_ == 0; });
  }
  Answer(why);
}

bool IncomingTransfer::GiveUp(const Status& why) {
  std::function<void(const Status&)> landed;
  std::function<bool()> given_up;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    if (stage_ == Stage::kOver) return false;
    stage_ = Stage::kOver;
    given_up_why_ = why;
    answered_ = true;
    landed = std::exchange(landed_, nullptr);
    given_up = std::exchange(given_up_, nullptr);
    parked_.clear();
    no_writers_.wait(lock, [this] { return writers_ == 0; });
  }
  if (landed) landed(why);
  return given_up && given_up();
}

void IncomingTransfer::Answer(const Status& status) {
  std::function<bool()> dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (std::exchange(answered_, true)) return;
    if (!status.ok()) stage_ = Stage::kOver;
    parked_.clear();
    dropped = std::exchange(given_up_, nullptr);
  }
  if (const auto events = events_.lock()) events->OnAnswered(this, status);
}

void IncomingTransfer::OnGivenUp(std::function<bool()> given_up) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stage_ != Stage::kOver) {
      if (stage_ != Stage::kLanding) given_up_ = std::move(given_up);
      return;
    }
  }
  given_up();
}

}  // namespace efl
