// Whether the other party is still there, over the trainer wire, and what follows when it isn't.
#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "communicator/peer.h"

namespace efl {
namespace {

// How often the connection is looked at, and asked for when it is gone.
constexpr int64_t kLookAfterMs = 250;
// How long a peer that was missing may take to answer.
constexpr int64_t kAnswerMs = 2000;
// A certificate that has just been replaced, or listed, may not have been noticed by both parties
// yet: so long after the first refusal the peer is asked again for all that.
constexpr std::chrono::milliseconds kRefusalMayPass{2000};

}  // namespace

bool Peer::IsCurrent(int64_t connection) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return state_ == State::kConnected && connection_ == connection;
}

void Peer::WatchConnection(int64_t connection, Operation::Clock::time_point last_asked) {
  client_.After(kLookAfterMs, [this, connection, last_asked] {
    if (!IsCurrent(connection)) return;
    const auto now = Operation::Clock::now();
    const std::chrono::milliseconds interval(options_.keepalive_interval_ms);
    if (!client_.ready()) {
      Miss({Code::kUnavailable, "the connection broke"});
      AskAgain(connection, now);
    } else if (trainer_.in_doubt() || (interval.count() > 0 && now - last_asked >= interval)) {
      AskAgain(connection, now);
    } else {
      WatchConnection(connection, last_asked);
    }
  });
}

// Over the trainer wire the peer isn't there.
void Peer::Miss(const Status& why) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::kConnected || !missing_.ok()) return;
    missing_ = why;
  }
  Refresh();
}

void Peer::AskAgain(int64_t connection, Operation::Clock::time_point since, bool watches) {
  int64_t timeout_ms = options_.keepalive_timeout_ms;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    asking_ = true;
    if (!missing_.ok()) timeout_ms = std::min(timeout_ms, kAnswerMs);
  }
  const auto asked = Operation::Clock::now();
  pair_.Ask(timeout_ms, [this, connection, since, watches, asked](const Status& status,
                                                                  const Introduction* theirs) {
    if (status.ok()) {
      counters_->round_trip_us =
          std::chrono::duration_cast<std::chrono::microseconds>(Operation::Clock::now() - asked)
              .count();
    }
    OnAsked(connection, since, watches, status, theirs);
  });
}

void Peer::OnAsked(int64_t connection, Operation::Clock::time_point since, bool watches,
                   const Status& status, const Introduction* theirs) {
  bool restarted = false;
  bool first = false;
  const auto now = Operation::Clock::now();
  auto refused_since = now;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    asking_ = false;
    if (status.ok()) refused_since_.reset();
    if (status.code() == Code::kUnauthenticated && watches) {
      if (!refused_since_) refused_since_ = now;
      refused_since = *refused_since_;
    }
    first = missing_.ok();
    restarted = theirs != nullptr && theirs->incarnation != their_incarnation_;
  }
  if (!IsCurrent(connection)) return;
  if (first) since = now;
  const auto gone = now - since;
  const std::chrono::milliseconds reconnect_timeout(options_.reconnect_timeout_ms);
  if (restarted) {
    Lose({Code::kAborted, "the peer has restarted and lost its state"});
  } else if (!watches) {
    return;
  } else if (status.code() == Code::kUnauthenticated &&
             now - refused_since >= std::min(kRefusalMayPass, reconnect_timeout)) {
    Lose(status);
  } else if (wire_ == link_.get()) {
    return;  // which looks after itself
  } else if (status.ok()) {
    bool was_missing = false;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      was_missing = !missing_.ok();
      missing_ = Status();
    }
    if (was_missing) ++counters_->reconnects;
    Refresh();
    trainer_.GoOn();
    WatchConnection(connection, Operation::Clock::now());
  } else if (gone < reconnect_timeout) {
    if (status.code() == Code::kDeadlineExceeded) {
      const std::string silent = absl::StrCat("nothing was heard from the peer for ",
                                              options_.keepalive_timeout_ms, " ms");
      Miss({Code::kUnavailable, silent});
      // Nothing comes through it any more; who waits for something on it waits in vain.
      client_.Break({Code::kUnavailable, silent});
    } else {
      Miss(status);
      client_.Renew(0);
    }
    client_.After(kLookAfterMs, [this, connection, since] {
      if (IsCurrent(connection)) AskAgain(connection, since);
    });
  } else {
    Lose({Code::kUnavailable,
          absl::StrCat("the connection broke (", Missing().message(),
                       ") and could not be made again within ", options_.reconnect_timeout_ms,
                       " ms: ", status.message())});
  }
}

void Peer::Lose(const Status& status) {
  std::function<void()> end_link, end_sends;
  std::vector<OperationPtr> receives, answers;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::kConnected) return;
    // All of it at once, so that it isn't the next connection's that ends. What is posted after
    // this finds that the peer is lost.
    end_link = link_->Detach(status);
    end_sends = trainer_.Forget(status);
    receives = mailbox_.Waiting();
    answers = board_.Waiting();
    state_ = State::kIdle;
    lost_ = status;
  }
  Refresh();
  Log(LogLevel::kInfo, absl::StrCat("peer ", PeerName(), ": ", status.Text()));
  // Over the trainer wire, what the peer was asked ends with its own answer, which may be on the
  // way; what it wasn't asked yet isn't for whoever is there next.
  end_link();
  end_sends();
  for (const OperationPtr& receive : receives) receive->Abandon(status);
  for (const OperationPtr& answer : answers) answer->Abandon(status);
}

Status Peer::Missing() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return missing_;
}

}  // namespace efl
