// How the connections of a link come, break and come again.
#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "wire/link/link_connection.h"
#include "wire/link/link_service.h"
#include "wire/messages.h"
#include "wire/pair/pair_messages.h"

namespace efl {
namespace {

// A party that lets a connection in says so at once; one that hangs doesn't.
constexpr int64_t kHandshakeMs = 5000;
// A round trip that takes this long is one over a distance.
constexpr std::chrono::milliseconds kLongLine{5};
constexpr int64_t kFirstPauseMs = 100;
constexpr int64_t kLongestPauseMs = 2000;

// Growing, and never in step with other parties that have lost the same peer.
int64_t PauseAfter(int failures) {
  if (failures == 0) return 0;
  static thread_local std::minstd_rand random(std::random_device{}());
  const int64_t pause = std::min(kLongestPauseMs, kFirstPauseMs << std::min(failures - 1, 5));
  return std::uniform_int_distribution<int64_t>(pause * 3 / 4, pause * 5 / 4)(random);
}

uint64_t RandomSession() {
  std::random_device device;
  const uint64_t high = device();
  return (high << 32 | device()) | 1;
}

// What may be otherwise the next time.
bool MayPass(const Status& status) {
  return status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded ||
         status.code() == Code::kCancelled || status.code() == Code::kUnknown ||
         status.code() == Code::kDataLoss;
}

const Status& NotReady() {
  static const Status& status = *new Status(Code::kUnavailable, "This party is not ready yet.");
  return status;
}

}  // namespace

void Link::Connect(const Errand& errand) {
  const bool dials = dials_;
  errand.operation->set_note(dials          ? "the peer has not let this party in"
                             : mine_.leader ? "the follower has not connected"
                                            : "the leader has not connected");
  {
    std::lock_guard<std::mutex> lock(mutex_);
    phase_ = Phase::kConnecting;
    connecting_ = errand;
    session_ = dials ? RandomSession() : 0;
    dials_failed_ = 0;
    ++epoch_;
    terms_.set_window_bytes(options_.window_bytes);
    terms_.set_chunk_bytes(options_.chunk_bytes);
    terms_.set_connections(options_.connections);
  }
  errand.slot->Hold(std::make_shared<CancelBy>([this](const Status&) { CancelConnecting(); }));
  if (dials) Dial(0);
}

void Link::CancelConnecting() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (phase_ != Phase::kConnecting) return;
  phase_ = Phase::kIdle;
  connecting_ = {};
  session_ = 0;
  ++epoch_;
}

void Link::EndConnecting(const Status& status) {
  OperationPtr operation;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    operation = std::exchange(connecting_, {}).operation;
    if (!status.ok() && phase_ == Phase::kConnecting) {
      phase_ = Phase::kIdle;
      session_ = 0;
      ++epoch_;
    }
  }
  if (operation == nullptr) return;
  // The user has given up meanwhile.
  if (!operation->TryEnd(status) && status.ok()) Detach(NotReady())();
}

void Link::Refuse(const Status& status) {
  bool waits = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    waits = phase_ == Phase::kConnecting && !dials_;
  }
  if (waits) EndConnecting(status);
}

bool Link::up() {
  std::lock_guard<std::mutex> lock(mutex_);
  return phase_ == Phase::kUp || phase_ == Phase::kDown;
}

bool Link::IsCurrent(const Connection& connection) const {
  return IsAttached(connection) && !connection.broken();
}

bool Link::IsAttached(const Connection& connection) const {
  return phase_ == Phase::kUp && connection.index() < connections_.size() &&
         connections_[connection.index()].get() == &connection;
}

// Opens a connection, after a pause when the last attempt has failed.
void Link::Dial(uint32_t index) {
  uint64_t epoch = 0;
  int64_t pause = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (index > 0 && phase_ != Phase::kUp) return;
    epoch = epoch_;
    pause = PauseAfter(dials_failed_);
  }
  const auto dial = [self = shared_from_this(), index, epoch] {
    {
      std::lock_guard<std::mutex> lock(self->mutex_);
      if (self->epoch_ != epoch) return;
    }
    const auto connection =
        std::make_shared<Connection>(self, nullptr, /*dialled=*/true, index, epoch);
    self->client_->Open(kLinkExchange, static_cast<int>(index), connection);
    self->LimitHandshake(connection);
  };
  if (pause == 0) {
    dial();
  } else {
    client_->After(pause, dial);
  }
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

StreamEventsPtr Link::Accept(std::shared_ptr<void> keep) {
  return std::make_shared<Connection>(shared_from_this(), std::move(keep), /*dialled=*/false, 0, 0);
}

void Link::OnOpen(const ConnectionPtr& connection) {
  if (!connection->dialled()) {
    LimitHandshake(connection);
    return;
  }
  LinkFrame frame;
  bool wanted = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
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

void Link::WriteHandshake(const ConnectionPtr& connection, LinkFrame frame) {
  LinkControl control;
  *control.add_frames() = std::move(frame);
  connection->Write(EncodeLinkMessage(control, {}));
}

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

void Link::OnHandshake(const ConnectionPtr& connection, const LinkControl& control) {
  const bool one = control.frames_size() == 1;
  if (one && connection->dialled() && control.frames(0).has_welcome()) {
    OnWelcome(connection, control.frames(0).welcome());
  } else if (one && !connection->dialled() && control.frames(0).has_hello()) {
    OnHello(connection, control.frames(0).hello());
  } else {
    connection->Close({Code::kInvalidArgument, "a connection of a link begins with its handshake"});
  }
}

void Link::OnHello(const ConnectionPtr& connection, const LinkHello& hello) {
  const Introduction theirs = FromHello(hello.pair());
  Status status = CheckHello(hello.pair());
  if (status.ok()) status = host_->OnLinkHello(theirs);
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
    if (connection->ready()) return;  // it has said Hello twice
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
    if (phase_ == Phase::kUp) then->push_back([this, theirs] { host_->OnLinkStranger(theirs); });
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
  then->push_back([self = shared_from_this(), connection, theirs, frame = std::move(frame)] {
    self->WriteHandshake(connection, frame);
    if (connection->index() == 0) self->OnAttached(theirs);
  });
}

void Link::OnWelcome(const ConnectionPtr& connection, const LinkWelcome& welcome) {
  const Introduction theirs = FromHello(welcome.pair());
  Status status = CheckHello(welcome.pair());
  if (status.ok()) status = host_->OnLinkHello(theirs);
  Consequences then;
  bool wanted = false;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    // What an earlier connection has brought is worked on to its end first. It can't be put off, as a
    // Hello is: what this connection brings next comes when this returns.
    if (connection->index() == 0) idle_.wait(lock, [this] { return !busy_; });
    wanted = epoch_ == connection->epoch();
    if (wanted && status.ok()) {
      connection->set_ready();
      if (connection->index() == 0) {
        SetTerms(welcome.terms());
        Attach(connection, welcome.state(), &then);
      } else if (connection->index() < connections_.size()) {
        connections_[connection->index()] = connection;
      }
    }
  }
  if (!wanted || !status.ok()) {
    connection->Close(status.ok() ? NotReady() : status);
    if (wanted && connection->index() == 0) EndConnecting(status);
    return;
  }
  for (const auto& act : then) act();
  if (connection->index() == 0) {
    OnAttached(theirs);
    DialSides(connection->Asking());
  }
  Pump();
}

void Link::DialSides(Clock::duration round_trip) {
  if (!options_.spread_at_once && round_trip < kLongLine) return;
  uint32_t count = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    count = terms_.connections();
  }
  for (uint32_t i = 1; i < count; ++i) Dial(i);
}

void Link::SetTerms(const LinkTerms& theirs) {
  terms_.set_window_bytes(std::min(terms_.window_bytes(), theirs.window_bytes()));
  // Two chunks fit the window, so that one that isn't credited yet doesn't stop the next.
  const auto most = static_cast<uint32_t>(
      std::clamp<uint64_t>(terms_.window_bytes() / 2, 1, terms_.chunk_bytes()));
  terms_.set_chunk_bytes(std::max(1u, std::min(most, theirs.chunk_bytes())));
  terms_.set_connections(std::max(1u, std::min(terms_.connections(), theirs.connections())));
  outgoing_.set_terms({terms_.window_bytes(), terms_.chunk_bytes()});
}

void Link::Attach(const ConnectionPtr& connection, const LinkState& theirs, Consequences* then) {
  for (ConnectionPtr& old : connections_) {
    if (old == nullptr) continue;
    then->push_back([old] { old->Close({Code::kUnavailable, "another connection replaces it"}); });
  }
  connections_.assign(terms_.connections(), nullptr);
  connections_[0] = connection;
  phase_ = Phase::kUp;
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
  for (const auto& [id, transfer] : incoming_) credits_.push_back(transfer->Standing());
}

void Link::OnAttached(const Introduction& theirs) {
  host_->OnLinkUp(theirs);
  EndConnecting({});
}

void Link::OnClosed(const ConnectionPtr& connection, const grpc::Status& status) {
  bool dialled = connection->dialled();
  uint64_t epoch = 0;
  std::vector<ConnectionPtr> others;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (IsAttached(*connection)) {
      // The others fall with it: what was on the way is sent again where it is missing.
      others = std::exchange(connections_, {});
      phase_ = Phase::kDown;
      down_since_ = Clock::now();
      epoch = ++epoch_;
      said_.notify_all();
    } else if (!dialled || connection->epoch() != epoch_ || connection->ready()) {
      return;
    }
  }
  if (epoch == 0) {
    OnDialFailed(connection->index(), FromGrpc(status));
    return;
  }
  Log(LogLevel::kInfo, absl::StrCat("link: the connection broke: ", status.error_message()));
  for (const ConnectionPtr& other : others) {
    if (other != nullptr) other->Close({Code::kUnavailable, "a connection of the link broke"});
  }
  if (dials_) {
    Dial(0);
  } else {
    AwaitReturn(epoch);
  }
}

void Link::OnDialFailed(uint32_t index, const Status& status) {
  Status given_up;
  bool connecting = false;
  uint64_t epoch = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    epoch = epoch_;
    ++dials_failed_;
    connecting = phase_ == Phase::kConnecting;
    const bool late = phase_ == Phase::kDown && Clock::now() - down_since_ >= ReconnectTimeout();
    if (!MayPass(status) && index == 0) {
      given_up = status;
    } else if (late) {
      given_up = TooLate(status.message());
    }
    if (connecting && connecting_.operation != nullptr) {
      connecting_.operation->set_note(
          absl::StrCat("the peer has not let this party in (", status.message(), ")"));
    }
  }
  if (given_up.ok()) {
    Dial(index);
  } else if (connecting) {
    EndConnecting(given_up);
  } else if (given_up.code() == Code::kAborted) {
    Lose({Code::kAborted, "the peer has restarted and lost its state"}, epoch);
  } else {
    Lose(given_up, epoch);
  }
}

std::chrono::milliseconds Link::ReconnectTimeout() const {
  return std::chrono::milliseconds(options_.reconnect_timeout_ms);
}

Status Link::TooLate(const std::string& why) const {
  return {Code::kUnavailable,
          absl::StrCat("the connection broke and could not be made again within ",
                       options_.reconnect_timeout_ms, " ms: ", why)};
}

// The peer dials; this party can only wait.
void Link::AwaitReturn(uint64_t epoch) {
  client_->After(options_.reconnect_timeout_ms, [self = shared_from_this(), epoch] {
    self->Lose(self->TooLate("the peer has not dialled"), epoch);
  });
}

void Link::LoseWith(const ConnectionPtr& connection, const Status& status) {
  uint64_t epoch = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!IsAttached(*connection)) return;
    epoch = epoch_;
  }
  Lose(status, epoch);
}

// The host hears of it before any operation ends: whoever hears of that may connect again.
void Link::Lose(const Status& status, uint64_t epoch) {
  std::function<void()> end;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (epoch_ != epoch) return;
    end = DetachLocked(status);
  }
  host_->OnLinkLost(status);
  end();
}

}  // namespace efl
