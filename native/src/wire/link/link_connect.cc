// How the connections of a link come, break and come again.
#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "grpc/grpc_status.h"
#include "wire/link/link_connection.h"
#include "wire/messages.h"

namespace efl {
namespace {

// A party that lets a connection in says so at once; one that hangs doesn't.
constexpr int64_t kHandshakeMs = 5000;
// A round trip that takes this long is one over a distance.
constexpr std::chrono::milliseconds kLongLine{5};
// A certificate that has just been replaced, or listed, may not have been noticed by both parties
// yet: so long after its first refusal a link whose connection broke is waited for for all that; a
// little less than it is dialled, so that both end with the same attempt.
constexpr std::chrono::milliseconds kRefusalMayPassHere{1500};
// Connections at their handshake.
constexpr size_t kMostStrangers = 64;

uint64_t RandomSession() {
  std::random_device device;
  const uint64_t high = device();
  return (high << 32 | device()) | 1;
}

std::string NoteOf(const Status& refused) {
  return absl::StrCat("the peer has not connected; a caller was refused: ", refused.message());
}

}  // namespace

void Link::Connect(const Errand& errand) {
  const bool dials = dials_;
  uint64_t epoch = 0;
  std::function<void()> end;
  std::string note = dials          ? "the peer has not let this party in"
                     : mine_.leader ? "the follower has not connected"
                                    : "the leader has not connected";
  {
    std::lock_guard<std::mutex> lock(mutex_);
    // An earlier connect has succeeded in the moment in which it was given up.
    if (phase_ != Phase::kIdle) end = DetachLocked(NotReady());
    if (const Status refused = std::exchange(refused_before_, {}); !refused.ok()) {
      note = NoteOf(refused);
    }
    errand.operation->set_note(note);
    phase_ = Phase::kConnecting;
    connecting_ = errand;
    session_ = dials ? RandomSession() : 0;
    dials_failed_ = 0;
    epoch = ++epoch_;
    terms_.set_window_bytes(options_.window_bytes);
    terms_.set_chunk_bytes(options_.chunk_bytes);
    terms_.set_connections(options_.connections);
    terms_.set_keepalive_interval_ms(static_cast<uint32_t>(options_.keepalive_interval_ms));
  }
  if (end) end();
  errand.slot->Hold(std::make_shared<CancelBy>(
      [this, connect = errand.operation](const Status&) { CancelConnecting(connect); }));
  if (dials) Dial(0, epoch);
}

void Link::CancelConnecting(const OperationPtr& connect) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (phase_ != Phase::kConnecting || connecting_.operation != connect) return;
  phase_ = Phase::kIdle;
  connecting_ = {};
  session_ = 0;
  ++epoch_;
}

void Link::EndConnecting(const Status& status, uint64_t epoch) {
  OperationPtr operation;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (phase_ != Phase::kConnecting || epoch_ != epoch) return;
    operation = std::exchange(connecting_, {}).operation;
    phase_ = Phase::kIdle;
    session_ = 0;
    ++epoch_;
  }
  if (operation != nullptr) operation->TryEnd(status);
}

void Link::OnConnected(const OperationPtr& connected) {
  uint64_t life = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (connecting_.operation != connected) return;  // it was detached meanwhile
    connecting_ = {};
    life = life_;
  }
  if (connected->TryEnd({})) return;
  // The user has given up meanwhile.
  std::function<void()> end;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (life_ == life) end = DetachLocked(NotReady());
  }
  if (end) end();
}

void Link::Refuse(const Status& status) {
  bool waits = false;
  uint64_t epoch = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    waits = phase_ == Phase::kConnecting && !dials_;
    epoch = epoch_;
    if (phase_ == Phase::kIdle) refused_before_ = status;
  }
  if (waits) EndConnecting(status, epoch);
}

void Link::OnCallerRefused(const PeerCertificatePtr& caller, const Status& why) {
  uint64_t epoch = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (phase_ == Phase::kConnecting && !dials_ && connecting_.operation != nullptr) {
      connecting_.operation->set_note(NoteOf(why));
    }
    // A stranger's certificate says nothing of the peer.
    if (phase_ != Phase::kDown || caller == nullptr || peers_certificate_ == nullptr ||
        caller->fingerprint != peers_certificate_->fingerprint ||
        RefusedFor() < kRefusalMayPassHere) {
      return;
    }
    epoch = epoch_;
  }
  Lose(why, epoch);
}

bool Link::up() {
  std::lock_guard<std::mutex> lock(mutex_);
  return phase_ == Phase::kUp || phase_ == Phase::kDown;
}

LinkFigures Link::figures() const {
  std::lock_guard<std::mutex> lock(mutex_);
  LinkFigures figures;
  figures.down = phase_ == Phase::kDown;
  figures.down_cause = down_cause_;
  figures.on_the_way_bytes = outgoing_.on_the_way();
  figures.reconnects = reconnects_;
  figures.retransmitted_bytes = outgoing_.retransmitted();
  figures.checksum_failures = checksum_failures_;
  figures.round_trip_us = round_trip_us_;
  return figures;
}

bool Link::IsCurrent(const Connection& connection) const {
  return IsAttached(connection) && !connection.broken();
}

bool Link::IsAttached(const Connection& connection) const {
  return phase_ == Phase::kUp && connection.index() < connections_.size() &&
         connections_[connection.index()].get() == &connection;
}

void Link::LimitHandshake(const ConnectionPtr& connection) {
  client_->After(kHandshakeMs, [self = shared_from_this(), connection] {
    {
      std::lock_guard<std::mutex> lock(self->mutex_);
      if (connection->ready()) return;
    }
    connection->Close({Code::kDeadlineExceeded, "the handshake of the link took too long"});
  });
}

StreamEventsPtr Link::Accept(std::shared_ptr<void> keep, PeerCertificatePtr caller) {
  const auto connection =
      std::make_shared<Connection>(shared_from_this(), std::move(keep), std::move(caller),
                                   /*dialled=*/false, 0, 0, 0);
  // Anybody may open them. Who means well needs moments; the oldest makes room.
  ConnectionPtr oldest;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    strangers_.push_back(connection);
    const auto known = [](const std::weak_ptr<Connection>& one) {
      const ConnectionPtr there = one.lock();
      return there == nullptr || there->ready();
    };
    if (strangers_.size() > kMostStrangers) {
      strangers_.erase(std::remove_if(strangers_.begin(), strangers_.end(), known),
                       strangers_.end());
    }
    if (strangers_.size() > kMostStrangers) {
      oldest = strangers_.front().lock();
      strangers_.pop_front();
    }
  }
  if (oldest != nullptr) {
    oldest->Close({Code::kUnavailable, "too many connections are at their handshake"});
  }
  return connection;
}

void Link::OnOpen(const ConnectionPtr& connection) {
  if (!connection->dialled()) {
    LimitHandshake(connection);
    return;
  }
  LinkFrame frame;
  bool wanted = false;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    // What has been counted as taken is taken in before this party says where it stands.
    if (connection->index() == 0) idle_.wait(lock, [this] { return !busy_; });
    wanted = epoch_ == connection->epoch();
    if (wanted) {
      *frame.mutable_hello() = HelloFor(connection->index());
      connection->set_writing();
    }
  }
  if (wanted) {
    connection->set_asked_now();
    WriteHandshake(connection, std::move(frame));
  } else {
    connection->Close(NotReady());
  }
}

void Link::DialSides(Clock::duration round_trip, uint64_t epoch) {
  if (!options_.spread_at_once && round_trip < kLongLine) return;
  uint32_t count = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    count = terms_.connections();
  }
  for (uint32_t i = 1; i < count; ++i) Dial(i, epoch);
}

void Link::OnClosed(const ConnectionPtr& connection, const grpc::Status& status) {
  if (Fall(connection, FromGrpc(status))) return;
  bool latest = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    latest = connection->index() > 0 || connection->attempt() == attempt_;
    if (!connection->dialled() || connection->epoch() != epoch_ || connection->ready()) return;
    // Nothing that is planned for it matters any more.
    if (connection->index() == 0 && latest) ++attempt_;
  }
  OnDialFailed(connection->index(), connection->epoch(), FromGrpc(status), latest);
}

bool Link::Fall(const ConnectionPtr& connection, const Status& why) {
  uint64_t epoch = 0;
  std::vector<ConnectionPtr> all;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!IsAttached(*connection)) return false;
    // The others fall with it: what was on the way is sent again where it is missing.
    all = std::exchange(connections_, {});
    phase_ = Phase::kDown;
    down_since_ = Clock::now();
    down_cause_ = why.ok() ? Status(Code::kUnavailable, "the peer has ended the call") : why;
    refused_since_.reset();
    dialled_at_ = {};
    epoch = ++epoch_;
    said_.notify_all();
  }
  Log(LogLevel::kInfo, absl::StrCat("link: the connection broke: ", why.message()));
  host_->OnLinkDown();
  for (const ConnectionPtr& one : all) {
    if (one != nullptr) one->Close({Code::kUnavailable, why.message()});
  }
  if (dials_) {
    Dial(0, epoch);
  } else {
    AwaitReturn(epoch);
  }
  return true;
}

std::chrono::milliseconds Link::ReconnectTimeout() const {
  return std::chrono::milliseconds(options_.reconnect_timeout_ms);
}

Link::Clock::duration Link::RefusedFor() {
  const Clock::time_point now = Clock::now();
  if (!refused_since_) refused_since_ = now;
  return now - *refused_since_;
}

// The peer dials; this party can only wait.
void Link::AwaitReturn(uint64_t epoch) {
  client_->After(options_.reconnect_timeout_ms, [self = shared_from_this(), epoch] {
    Status late;
    {
      std::lock_guard<std::mutex> lock(self->mutex_);
      late = self->TooLate("the peer has not dialled");
    }
    self->Lose(late, epoch);
  });
}

}  // namespace efl
