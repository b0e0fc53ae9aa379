#include "communicator/peer_state.h"

#include <chrono>
#include <utility>
#include <vector>

#include "base/kernel_thread.h"

namespace efl {
namespace {

// A listener that doesn't return hears the latest of what it missed.
constexpr size_t kMostNews = 1024;

int64_t NowMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

PeerStates::PeerStates() { now_.since_ms = NowMs(); }

void PeerStates::Set(PeerState state, const Status& cause) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (now_.state == state || now_.state == PeerState::kClosed) return;
  now_ = {state, NowMs(), cause};
  if (listeners_.empty()) return;
  Note({now_, 0, last_id_});
}

void PeerStates::Note(News news) {
  if (news_.size() == kMostNews) news_.pop_front();
  news_.push_back(std::move(news));
}

void PeerStates::Tell() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (telling_ || news_.empty()) return;
  telling_ = true;
  teller_ = std::this_thread::get_id();
  while (!news_.empty()) {
    const News news = std::move(news_.front());
    news_.pop_front();
    std::vector<uint64_t> ids;
    for (const auto& [id, listener] : listeners_) {
      // Who came after it was noted hears of the outcome alone.
      if (news.only == id || (news.only == 0 && id <= news.last)) ids.push_back(id);
    }
    for (const uint64_t id : ids) {
      // One of them may have removed the next.
      const auto at = listeners_.find(id);
      if (at == listeners_.end()) continue;
      const Listener listener = at->second;
      lock.unlock();
      {
        const KernelScope scope;
        listener(news.standing);
      }
      lock.lock();
    }
  }
  telling_ = false;
  teller_ = {};
  quiet_.notify_all();
}

PeerStanding PeerStates::now() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return now_;
}

uint64_t PeerStates::Add(Listener listener) {
  uint64_t id = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    id = ++last_id_;
    listeners_.emplace(id, std::move(listener));
    Note({now_, id, id});
  }
  Tell();
  return id;
}

void PeerStates::AwaitQuiet(std::unique_lock<std::mutex>* lock) {
  if (teller_ == std::this_thread::get_id()) return;
  quiet_.wait(*lock, [this] { return !telling_; });
}

void PeerStates::Remove(uint64_t id) {
  Listener dropped;  // destroyed without the lock
  std::unique_lock<std::mutex> lock(mutex_);
  const auto at = listeners_.find(id);
  if (at != listeners_.end()) {
    dropped = std::move(at->second);
    listeners_.erase(at);
  }
  AwaitQuiet(&lock);
}

void PeerStates::Stop() {
  std::map<uint64_t, Listener> dropped;
  std::unique_lock<std::mutex> lock(mutex_);
  AwaitQuiet(&lock);
  dropped.swap(listeners_);
  news_.clear();
}

}  // namespace efl
