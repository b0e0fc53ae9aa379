// How a peer stands, and who wants to hear of it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "base/status.h"

namespace efl {

enum class PeerState {
  kIdle = 0,        // not connected: connect has not been called, has failed, or the link was lost
  kConnecting = 1,  // connect is pending
  kReady = 2,       // connected
  kReconnecting = 3,  // the connection broke; what is under way waits for the next one
  kClosed = 4         // for good
};

struct PeerStanding {
  PeerState state = PeerState::kIdle;
  int64_t since_ms = 0;  // since the epoch of Unix
  Status cause;          // why it isn't connected; OK: there is nothing to say
};

// Each change reaches each listener once, in order, and without a lock held.
class PeerStates {
 public:
  using Listener = std::function<void(const PeerStanding&)>;

  PeerStates();

  // Notes a change, for Tell; nothing when it is none. After kClosed nothing changes any more.
  void Set(PeerState state, const Status& cause);
  // Hands out what was noted, unless another thread is about it already. Without any lock held.
  void Tell();

  PeerStanding now() const;

  // The listener hears of the present state first, then of each change.
  uint64_t Add(Listener listener);
  // It is not called any more when this returns; called by a listener itself, when that returns.
  void Remove(uint64_t id);
  // Likewise all of them.
  void Stop();

 private:
  struct News {
    PeerStanding standing;
    uint64_t only;  // one listener; 0: all that there were
    uint64_t last;  // the last of those
  };

  // Under the lock: it is told next.
  void Note(News news);
  // Until no listener runs, except on this thread.
  void AwaitQuiet(std::unique_lock<std::mutex>* lock);

  mutable std::mutex mutex_;
  std::condition_variable quiet_;
  PeerStanding now_;
  std::deque<News> news_;
  std::map<uint64_t, Listener> listeners_;
  uint64_t last_id_ = 0;
  bool telling_ = false;
  std::thread::id teller_;
};

}  // namespace efl
