// How a peer stands, for its listeners and for metrics.
#include <utility>

#include "communicator/peer.h"

namespace efl {

// Under the lock.
PeerStanding Peer::Judge() const {
  switch (state_) {
    case State::kClosed:
      return {PeerState::kClosed, 0, {}};
    case State::kConnecting:
      return {PeerState::kConnecting, 0, {}};
    case State::kIdle:
      return {PeerState::kIdle, 0, lost_.ok() ? connect_failed_ : lost_};
    case State::kConnected:
      break;
  }
  if (wire_ != link_.get()) {
    return {missing_.ok() ? PeerState::kReady : PeerState::kReconnecting, 0, missing_};
  }
  const LinkFigures link = link_->figures();
  return {link.down ? PeerState::kReconnecting : PeerState::kReady, 0, link.down_cause};
}

void Peer::Refresh() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const PeerStanding now = Judge();
    states_.Set(now.state, now.cause);
  }
  states_.Tell();
}

Operation::Done Peer::CountSent(size_t bytes, Operation::Done done) const {
  return [counters = counters_, bytes, done = std::move(done)](const Status& status,
                                                               const Outcome& outcome) {
    if (status.ok()) {
      ++counters->tensors_sent;
      counters->bytes_sent += static_cast<int64_t>(bytes);
    }
    done(status, outcome);
  };
}

PeerStats Peer::stats() const {
  const LinkFigures link = link_->figures();
  PeerStats stats;
  stats.standing = states_.now();
  stats.tensors_sent = counters_->tensors_sent;
  stats.tensors_received = counters_->tensors_received;
  stats.bytes_sent = counters_->bytes_sent;
  stats.bytes_received = counters_->bytes_received;
  stats.pending = pending();
  stats.in_flight_bytes = static_cast<int64_t>(link.on_the_way_bytes);
  stats.parked_tensors = mailbox_.parked_tensors();
  stats.parked_bytes = mailbox_.parked_bytes();
  stats.reconnects = static_cast<int64_t>(link.reconnects) + counters_->reconnects;
  stats.retransmitted_bytes = static_cast<int64_t>(link.retransmitted_bytes);
  stats.checksum_failures = static_cast<int64_t>(link.checksum_failures);
  const bool over_link = wire_ == link_.get();
  stats.round_trip_us = over_link ? link.round_trip_us : counters_->round_trip_us.load();
  return stats;
}

}  // namespace efl
