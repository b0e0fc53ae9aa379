#include "lane.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace efl::bench {
namespace {

constexpr int kBlocksAtOnce = 4;

}  // namespace

BlockStore::Block BlockStore::Take() {
  if (free_.empty()) return Block(new uint8_t[kBlock]);
  Block block = std::move(free_.back());
  free_.pop_back();
  return block;
}

Lane::Lane(int from, int to, int64_t delay_ns, size_t capacity, BlockStore* store)
    : from_(from), to_(to), delay_ns_(delay_ns), capacity_(capacity), store_(store) {}

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
      end_due_ = now + delay_ns_;
      return;
    }
    const auto read = static_cast<size_t>(size);
    end_ += read;
    bytes_ += read;
    arrivals_.push_back({now + delay_ns_, read});
  }
}

size_t Lane::DueBytes(int64_t now) const {
  size_t bytes = 0;
  for (const Arrival& arrival : arrivals_) {
    if (arrival.due > now || bytes >= kBlocksAtOnce * BlockStore::kBlock) break;
    bytes += arrival.bytes;
  }
  return bytes;
}

void Lane::Consume(size_t bytes) {
  bytes_ -= bytes;
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
  if (ended_ && !passed_on_ && bytes_ == 0 && end_due_ <= now) {
    if (reset_) return false;
    passed_on_ = true;
    shutdown(to_, SHUT_WR);
  }
  return true;
}

int64_t Lane::due() const {
  if (!arrivals_.empty()) return arrivals_.front().due;
  return ended_ && !passed_on_ ? end_due_ : -1;
}

}  // namespace efl::bench
