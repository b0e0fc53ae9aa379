#include "lane.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace efl::faults {
namespace {

constexpr int kBlocksAtOnce = 4;

}  // namespace

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

BlockStore::Block BlockStore::Take() {
  if (free_.empty()) return Block(new uint8_t[kBlock]);
  Block block = std::move(free_.back());
  free_.pop_back();
  return block;
}

Lane::Lane(int from, int to, const Line& line, BlockStore* store, uint64_t seed)
    : from_(from),
      to_(to),
      line_(line),
      store_(store),
      random_(static_cast<std::minstd_rand::result_type>(seed)) {}

Lane::~Lane() {
  for (BlockStore::Block& block : blocks_) store_->GiveBack(std::move(block));
}

void Lane::ReadSome(int64_t now) {
  for (int i = 0; i < kBlocksAtOnce && wants_read(); ++i) {
    if (blocks_.empty() || end_ == BlockStore::kBlock) {
      blocks_.push_back(store_->Take());
      end_ = 0;
    }
    const ssize_t size = recv(from_, blocks_.back().get() + end_, BlockStore::kBlock - end_, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
      ended_ = true;
      reset_ = size < 0;
      end_due_ = std::max(now + line_.delay_ns, last_due_);
      return;
    }
    OnRead(now, static_cast<size_t>(size));
  }
}

void Lane::OnRead(int64_t now, size_t size) {
  if (swallows_) return;  // the next bytes overwrite them
  for (const uint64_t random : corrupts_) {
    blocks_.back()[end_ + (random >> 3) % size] ^= static_cast<uint8_t>(1U << (random & 7));
  }
  corrupts_.clear();
  const Line& line = now < slow_until_ ? slow_ : line_;
  int64_t due = now + line.delay_ns;
  if (line.jitter_ns > 0) {
    due += std::uniform_int_distribution<int64_t>(0, line.jitter_ns)(random_);
  }
  due = std::max(due, last_due_);
  if (line.bytes_per_s > 0) {
    due += static_cast<int64_t>(size * 1'000'000'000 / line.bytes_per_s);
  }
  last_due_ = due;
  end_ += size;
  bytes_ += size;
  arrivals_.push_back({due, size});
}

void Lane::End() {
  for (BlockStore::Block& block : blocks_) store_->GiveBack(std::move(block));
  blocks_.clear();
  arrivals_.clear();
  begin_ = end_ = bytes_ = 0;
  swallows_ = true;
  blocked_ = false;
  if (!passed_on_) shutdown(to_, SHUT_WR);
  passed_on_ = true;
}

size_t Lane::DueBytes(int64_t now) const {
  size_t bytes = 0;
  if (now < stalled_until_) return bytes;
  for (const Arrival& arrival : arrivals_) {
    if (arrival.due > now || bytes >= kBlocksAtOnce * BlockStore::kBlock) break;
    bytes += arrival.bytes;
  }
  return bytes;
}

void Lane::Consume(size_t bytes) {
  bytes_ -= bytes;
  passed_ += bytes;
  begin_ += bytes;
  while (begin_ >= BlockStore::kBlock) {
    store_->GiveBack(std::move(blocks_.front()));
    blocks_.pop_front();
    begin_ -= BlockStore::kBlock;
  }
  if (bytes_ == 0 && !blocks_.empty()) {  // the block is used from its beginning again
    begin_ = 0;
    end_ = 0;
  }
  while (bytes > 0) {
    Arrival& arrival = arrivals_.front();
    const size_t part = std::min(bytes, arrival.bytes);
    arrival.bytes -= part;
    bytes -= part;
    if (arrival.bytes == 0) arrivals_.pop_front();
  }
}

bool Lane::WriteSome(int64_t now) {
  blocked_ = false;
  for (size_t left = DueBytes(now); left > 0; left = DueBytes(now)) {
    iovec pieces[kBlocksAtOnce + 1];
    msghdr message{};
    message.msg_iov = pieces;
    size_t offset = begin_;
    size_t asked = 0;
    for (size_t i = 0; i < blocks_.size() && i <= kBlocksAtOnce && asked < left; ++i) {
      const size_t part = std::min(left - asked, BlockStore::kBlock - offset);
      pieces[i] = {blocks_[i].get() + offset, part};
      message.msg_iovlen = i + 1;
      asked += part;
      offset = 0;
    }
    const ssize_t size = sendmsg(to_, &message, MSG_NOSIGNAL);
    if (size < 0) {
      blocked_ = errno == EAGAIN;
      return blocked_ || errno == EINTR;
    }
    Consume(static_cast<size_t>(size));
    if (static_cast<size_t>(size) < asked) {
      blocked_ = true;
      return true;
    }
  }
  const bool silent = swallows_ || now < stalled_until_;
  if (ended_ && !passed_on_ && !silent && bytes_ == 0 && end_due_ <= now) {
    if (reset_) return false;
    passed_on_ = true;
    shutdown(to_, SHUT_WR);
  }
  return true;
}

int64_t Lane::due() const {
  if (!arrivals_.empty()) return std::max(arrivals_.front().due, stalled_until_);
  return ended_ && !passed_on_ && !swallows_ ? std::max(end_due_, stalled_until_) : -1;
}

}  // namespace efl::faults
