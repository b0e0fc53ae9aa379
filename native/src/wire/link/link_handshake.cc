// How a connection begins: who is there, on which terms, and how far either has come.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "wire/link/link_connection.h"
#include "wire/messages.h"
#include "wire/pair/pair_messages.h"

namespace efl {
namespace {

constexpr uint32_t kShortestKeepaliveMs = 100;
// The window has to hold this many chunks, so that one that isn't credited yet doesn't stop the
// next.
constexpr uint64_t kChunksOfAWindow = 2;
// Of a handshake: who is there, on which terms; and how far a transfer has come.
constexpr size_t kMostIntroduction = 8 << 10;
constexpr size_t kMostStanding = 32;

}  // namespace

LinkHello Link::HelloFor(uint32_t index) const {
  LinkHello hello;
  *hello.mutable_pair() = ToHello(mine_);
  hello.set_session(session_);
  hello.set_connection(index);
  hello.set_resumes(phase_ != Phase::kConnecting);
  *hello.mutable_terms() = terms_;
  if (index == 0) *hello.mutable_state() = State();
  return hello;
}

LinkState Link::State() const {
  LinkState state;
  state.set_received(taken_);
  for (const auto& [id, transfer] : incoming_) *state.add_transfers() = transfer->Standing();
  return state;
}

void Link::WriteHandshake(const ConnectionPtr& connection, LinkFrame frame) {
  LinkControl control;
  *control.add_frames() = std::move(frame);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    control.set_message(connection->NextMessage());
  }
  connection->Write(EncodeLinkMessage(control, {}));
}

void Link::OnHandshake(const ConnectionPtr& connection, const LinkControl& control) {
  const bool one = control.frames_size() == 1;
  if (one && connection->dialled() && control.frames(0).has_welcome()) {
    OnWelcome(connection, control.frames(0).welcome());
  } else if (one && !connection->dialled() && control.frames(0).has_hello() &&
             connection->TakeHello()) {
    OnHello(connection, control.frames(0).hello());
  } else {
    connection->Close({Code::kInvalidArgument, "a connection of a link begins with its handshake"});
  }
}

void Link::OnHello(const ConnectionPtr& connection, const LinkHello& hello) {
  const Introduction theirs = FromHello(hello.pair());
  Status status = CheckHello(hello.pair());
  if (status.ok()) status = host_->OnLinkHello(theirs, connection->caller());
  if (status.ok() && hello.connection() == 0) {
    status = CheckTerms(hello.terms());
    if (!status.ok()) Refuse(status);
  }
  if (!status.ok()) {
    connection->Close(status);
    return;
  }
  Consequences then;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (busy_) {
      when_idle_.push_back(
          [self = shared_from_this(), connection, hello] { self->OnHello(connection, hello); });
      return;
    }
    if (connection->ready() || connection->closed()) return;  // it has said Hello twice, or left
    status = Admit(connection, hello, theirs, &then);
  }
  if (!status.ok()) connection->Close(status);
  for (const auto& act : then) act();
}

Status Link::Admit(const ConnectionPtr& connection, const LinkHello& hello,
                   const Introduction& theirs, Consequences* then) {
  const bool known = hello.session() == session_ && session_ != 0;
  if (hello.connection() > 0) {
    if (!known || phase_ != Phase::kUp || hello.connection() >= connections_.size() ||
        connections_[hello.connection()] != nullptr) {
      return {Code::kAborted, "there is no such link"};
    }
    connection->set_index(hello.connection());
    connections_[hello.connection()] = connection;
    Watch(connection);
    LetIn(connection, theirs, then);
    return {};
  }
  if (hello.session() == 0) return {Code::kInvalidArgument, "a link has a session"};
  if (known) {
    // Resumed, or the Welcome to its first connection was lost.
  } else if (hello.resumes()) {
    // It was with an earlier incarnation of this party, or this party has given it up.
    return {Code::kAborted, "the link that is to go on is not known here"};
  } else if (phase_ == Phase::kConnecting && !dials_) {
    session_ = hello.session();
  } else {
    // While it is up, anybody can say this; the peer's own address knows.
    if (phase_ == Phase::kUp) {
      then->push_back(
          [this, theirs, caller = connection->caller()] { host_->OnLinkStranger(theirs, caller); });
    }
    if (phase_ == Phase::kDown) {
      then->push_back([self = shared_from_this(), epoch = epoch_] {
        self->Lose({Code::kAborted, "the peer has restarted and lost its state"}, epoch);
      });
    }
    return NotReady();
  }
  SetTerms(hello.terms());
  Attach(connection, hello.state(), then);
  LetIn(connection, theirs, then);
  return {};
}

// Answers the Hello, before anything else is written.
void Link::LetIn(const ConnectionPtr& connection, const Introduction& theirs, Consequences* then) {
  LinkFrame frame;
  LinkWelcome* welcome = frame.mutable_welcome();
  *welcome->mutable_pair() = ToHello(mine_);
  *welcome->mutable_terms() = terms_;
  if (connection->index() == 0) *welcome->mutable_state() = State();
  connection->set_ready();
  connection->set_writing();
  then->push_back([self = shared_from_this(), connection, theirs, frame = std::move(frame),
                   connected = connecting_.operation] {
    self->WriteHandshake(connection, frame);
    if (connection->index() == 0) self->OnAttached(theirs, connected);
  });
}

void Link::OnWelcome(const ConnectionPtr& connection, const LinkWelcome& welcome) {
  const Introduction theirs = FromHello(welcome.pair());
  Status status = CheckHello(welcome.pair());
  if (status.ok()) status = host_->OnLinkWelcome(theirs);
  if (status.ok() && connection->index() == 0) status = CheckTerms(welcome.terms());
  Consequences then;
  bool wanted = false;
  uint64_t epoch = 0;
  OperationPtr connected;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    // What an earlier connection has brought is worked on to its end first. It can't be put off, as
    // a Hello is: what this connection brings next comes when this returns.
    if (connection->index() == 0) idle_.wait(lock, [this] { return !busy_; });
    wanted = epoch_ == connection->epoch();
    if (wanted && status.ok()) {
      connection->set_ready();
      if (connection->index() == 0) handshake_ = connection->Asking();
      if (connection->index() == 0) {
        SetTerms(welcome.terms());
        Attach(connection, welcome.state(), &then);
        patience_.OnHeard(Clock::now(), handshake_);
        epoch = epoch_;
        connected = connecting_.operation;
      } else if (connection->index() < connections_.size()) {
        connections_[connection->index()] = connection;
        Watch(connection);
      }
    }
  }
  if (!wanted || !status.ok()) {
    connection->Close(status.ok() ? NotReady() : status);
    return;
  }
  for (const auto& act : then) act();
  if (connection->index() == 0) {
    const Clock::duration round_trip = connection->Asking();
    OnAttached(theirs, connected);
    DialSides(round_trip, epoch);
  }
  Pump();
}

// It says who it is, and of each transfer that this party has begun and not heard the end of, or
// has given up and the peer has not heard of, how far it has come.
size_t Link::LongestHandshake() const {
  return kMostIntroduction + kMostStanding * (outgoing_.size() + log_.size());
}

Status Link::CheckTerms(const LinkTerms& theirs) {
  if (theirs.chunk_bytes() < kShortestChunk) {
    return {Code::kInvalidArgument,
            absl::StrCat("the terms of a link have chunk_bytes of at least ", kShortestChunk,
                         ", not ", theirs.chunk_bytes())};
  }
  constexpr uint64_t kLeastWindow = kChunksOfAWindow * kShortestChunk;
  if (theirs.window_bytes() < kLeastWindow) {
    return {Code::kInvalidArgument,
            absl::StrCat("the terms of a link have window_bytes of at least ", kLeastWindow,
                         ", not ", theirs.window_bytes())};
  }
  return {};
}

void Link::SetTerms(const LinkTerms& theirs) {
  terms_.set_window_bytes(std::min(terms_.window_bytes(), theirs.window_bytes()));
  const uint64_t most = terms_.window_bytes() / kChunksOfAWindow;
  terms_.set_chunk_bytes(static_cast<uint32_t>(
      std::min<uint64_t>({most, terms_.chunk_bytes(), theirs.chunk_bytes()})));
  terms_.set_connections(std::max(1u, std::min(terms_.connections(), theirs.connections())));
  // What a peer asks for must not keep this party busy.
  const auto least = std::min(terms_.keepalive_interval_ms(), kShortestKeepaliveMs);
  terms_.set_keepalive_interval_ms(
      theirs.keepalive_interval_ms() == 0
          ? 0
          : std::clamp(theirs.keepalive_interval_ms(), least, terms_.keepalive_interval_ms()));
  outgoing_.set_terms({terms_.window_bytes(), terms_.chunk_bytes()});
}

void Link::Attach(const ConnectionPtr& connection, const LinkState& theirs, Consequences* then) {
  for (ConnectionPtr& old : connections_) {
    if (old == nullptr) continue;
    then->push_back([old] { old->Close({Code::kUnavailable, "another connection replaces it"}); });
  }
  connections_.assign(terms_.connections(), nullptr);
  connections_[0] = connection;
  peers_certificate_ = connection->caller();
  Watch(connection);
  if (phase_ != Phase::kConnecting) ++reconnects_;
  patience_.OnReturn(Clock::now(), std::max<Clock::duration>(
                                       handshake_, std::chrono::microseconds(round_trip_us_)));
  phase_ = Phase::kUp;
  down_cause_ = Status();
  dials_failed_ = 0;
  ++epoch_;
  Taken(theirs.received(), then);
  log_sent_ = log_begin_;
  uint64_t first_untaken = last_opened_ + 1;
  for (const Sequenced& sequenced : log_) {
    if (!sequenced.frame.has_open()) continue;
    first_untaken = sequenced.frame.open().transfer();
    break;
  }
  outgoing_.Rewind(theirs, first_untaken);
  // Whatever has changed since this party said where it stands.
  credits_.clear();
  uncredited_.clear();
  uncredited_bytes_ = 0;
  credits_due_ = false;
  told_ = taken_;
  for (const auto& [id, transfer] : incoming_) credits_.push_back(transfer->Standing());
}

void Link::OnAttached(const Introduction& theirs, const OperationPtr& connected) {
  host_->OnLinkUp(theirs);
  if (connected != nullptr) OnConnected(connected);
}

}  // namespace efl
