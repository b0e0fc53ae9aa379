// The states of a peer, as a listener hears of them.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "support/pair.h"

namespace efl::test {

inline const char* PeerStateName(PeerState state) {
  switch (state) {
    case PeerState::kIdle:
      return "IDLE";
    case PeerState::kConnecting:
      return "CONNECTING";
    case PeerState::kReady:
      return "READY";
    case PeerState::kReconnecting:
      return "RECONNECTING";
    case PeerState::kClosed:
      return "CLOSED";
  }
  return "";
}

class StateLog {
 public:
  explicit StateLog(std::shared_ptr<Peer> peer) : peer_(std::move(peer)) {
    id_ = peer_->AddListener([this](const PeerStanding& standing) {
      std::lock_guard<std::mutex> lock(mutex_);
      heard_.push_back(standing);
      changed_.notify_all();
    });
  }
  ~StateLog() { peer_->RemoveListener(id_); }
  StateLog(const StateLog&) = delete;
  StateLog& operator=(const StateLog&) = delete;

  // Waits for the next of these after what was awaited before; fails the test when it doesn't come.
  PeerStanding Await(PeerState state) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto come = [&] {
      while (seen_ < heard_.size()) {
        if (heard_[seen_++].state == state) return true;
      }
      return false;
    };
    if (!changed_.wait_for(lock, kLimit, come)) {
      ADD_FAILURE() << PeerStateName(state) << " did not come";
      return {};
    }
    return heard_[seen_ - 1];
  }

  std::vector<PeerState> states() {
    std::lock_guard<std::mutex> lock(mutex_);
    std::vector<PeerState> states;
    for (const PeerStanding& standing : heard_) states.push_back(standing.state);
    return states;
  }

 private:
  const std::shared_ptr<Peer> peer_;
  uint64_t id_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<PeerStanding> heard_;
  size_t seen_ = 0;
};

}  // namespace efl::test
