// How a Peer finds the other party, looks after the connection, and loses it.
#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "communicator/pair_check.h"
#include "communicator/peer.h"
#include "wire/link/link_service.h"

namespace efl {
namespace {

// A Connect waits for it, which close waits for.
constexpr int64_t kLongestCheckMs = 2000;

}  // namespace

Status Peer::BeginConnect() {
  std::lock_guard<std::mutex> lock(mutex_);
  switch (state_) {
    case State::kClosed:
      return AlreadyClosed();
    case State::kConnected:
    case State::kConnecting:
      return {Code::kFailedPrecondition, "Already Connected."};
    case State::kIdle:
      state_ = State::kConnecting;
      lost_ = Status();
      connect_failed_ = Status();
      return {};
  }
  return {};
}

void Peer::OnConnected(const Status& status) {
  int64_t connection = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::kConnecting) return;
    state_ = status.ok() ? State::kConnected : State::kIdle;
    connect_failed_ = status;
    missing_ = Status();
    refused_since_.reset();
    connection = ++connection_;
  }
  const bool over_link = wire_ == link_.get();
  if (status.ok()) wire_name_ = over_link ? "link" : "trainer";
  Refresh();
  if (!status.ok()) {
    // A follower whose Connect waits here would wait for nothing.
    board_.Refuse(kConnectTopic, status);
  } else if (!over_link) {
    WatchConnection(connection, Operation::Clock::now());
  } else if (!link_->up()) {
    Lose({Code::kUnavailable, "the link was lost as soon as it was there"});
  }
}

void Peer::Connect(Call call) {
  const Status refused = BeginConnect();
  if (refused.ok()) {
    Refresh();
    call.done = [this, done = std::move(call.done)](const Status& status, const Outcome& outcome) {
      OnConnected(status);
      done(status, outcome);
    };
  }
  const Errand errand = StartErrand(About("connect"), std::move(call), refused);
  if (errand.operation == nullptr) return;
  const uint64_t admission = ++admission_;
  mailbox_.Forget(admission);
  // Of an incarnation that is gone; nobody hears the answers.
  board_.RefuseQuestions(admission, kConnectTopic);
  identity_->Forget();
  if (mine_.dials) {
    pair_.Meet(errand, [this, errand](const Introduction* theirs) { OnMet(errand, theirs); });
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    is_efls_ = false;
    their_incarnation_ = 0;
  }
  wire_ = link_.get();
  link_->set_dials(false);
  ConnectOverWire(errand);
}

void Peer::OnMet(const Errand& errand, const Introduction* theirs) {
  Status wrong = theirs != nullptr ? CheckPair(mine_, *theirs) : Status();
  if (wrong.ok() && theirs != nullptr) wrong = CheckWires(mine_, *theirs);
  if (wrong.ok() && theirs != nullptr) wrong = identity_->CheckCalledParty(theirs->party_id);
  if (wrong.ok()) wrong = ChooseWire(theirs);
  if (!wrong.ok()) {
    errand.operation->TryEnd(wrong);
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    is_efls_ = theirs == nullptr;
    their_incarnation_ = theirs != nullptr ? theirs->incarnation : 0;
    their_party_id_ = theirs != nullptr ? theirs->party_id : std::string();
  }
  if (theirs != nullptr) {
    BindTo(*theirs);
    LogPeer(*theirs);
  }
  ConnectOverWire(errand);
}

// What came before it was known who the peer is may have come from anybody with a certificate of
// the same CA. The peer itself has sent nothing yet, but a Connect, which it repeats.
void Peer::BindTo(const Introduction& theirs) {
  if (!identity_->Bind(theirs.party_id)) return;
  const uint64_t admission = ++admission_;
  mailbox_.Forget(admission);
  board_.RefuseQuestions(admission);
}

// Null: an existing EFLS party.
Status Peer::ChooseWire(const Introduction* theirs) {
  const bool speaks_link = theirs != nullptr && theirs->link_version == kLinkVersion;
  if (options_.wire == WireChoice::kTrainer ||
      (options_.wire == WireChoice::kAuto && !speaks_link)) {
    if (!listens_) {
      return {Code::kFailedPrecondition,
              "the peer speaks the trainer wire alone, for which it has to reach this party: set "
              "listen_address"};
    }
    wire_ = &trainer_;
    return {};
  }
  if (!speaks_link) {
    return {
        Code::kFailedPrecondition,
        absl::StrCat("wire=link (EFL_WIRE), and the peer does not speak it: version ", kLinkVersion,
                     " here, ", theirs != nullptr ? theirs->link_version : 0, " there")};
  }
  // Both may be able to; then it is the follower that dials.
  link_->set_dials(options_.role == Role::kFollower || !theirs->dials);
  wire_ = link_.get();
  return {};
}

void Peer::ConnectOverWire(const Errand& errand) {
  if (wire_ == link_.get() || options_.role == Role::kFollower) {
    wire_.load()->Connect(errand);
    return;
  }
  errand.operation->set_note("the follower has not connected");
  board_.Post(kConnectTopic, std::make_shared<Answer>(Answer{errand.operation, {}, {}}));
}

void Peer::LogPeer(const Introduction& theirs) const {
  const std::string& id = theirs.party_id;
  Log(LogLevel::kInfo,
      absl::StrCat("peer ", options_.peer_address, id.empty() ? "" : absl::StrCat(" ('", id, "')"),
                   " is a ", theirs.leader ? "leader" : "follower"));
}

std::string Peer::PeerName() const {
  if (!options_.peer_address.empty()) return options_.peer_address;
  std::lock_guard<std::mutex> lock(mutex_);
  return their_party_id_;
}

StreamEventsPtr Peer::AcceptStream(const PeerCertificatePtr& caller, Status* refused) {
  *refused = CheckCaller(caller);
  return refused->ok() ? link_->Accept(shared_from_this(), caller) : nullptr;
}

Status Peer::CheckCaller(const PeerCertificatePtr& caller) const {
  Status wrong = identity_->CheckCaller(caller);
  if (!wrong.ok()) refusals_->Note("a caller", wrong);
  return wrong;
}

void Peer::RefuseCaller(const PeerCertificatePtr& caller, const Status& wrong) {
  refusals_->Note("a caller", wrong);
  link_->OnCallerRefused(caller, wrong);
}

void Peer::OnTlsFilesChanged() {
  if (Status revoked = identity_->RecheckServer(); !revoked.ok()) {
    Log(LogLevel::kWarning,
        absl::StrCat("ended the connections to ", PeerName(), ": ", revoked.message()));
    // A link says why when the peer dials again, by which it may go on with another certificate.
    const bool nothing_goes_on = wire_ == &trainer_;
    if (nothing_goes_on) pair_.Goodbye(revoked.message());
    client_.Cut(revoked);
    // Nor here: the peer has another certificate by now, perhaps, but has taken the Goodbye.
    if (nothing_goes_on) Lose(revoked);
  } else {
    // Calls under way over earlier connections may be to an earlier certificate.
    client_.CutRefused(
        [this](const PeerCertificatePtr& server) { return tls_->now()->Admit(server); });
    RenewConnections();
  }
}

void Peer::RenewConnections() {
  client_.RenewAll();
  int64_t connection = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ == State::kConnected && !asking_ && wire_ == &trainer_) connection = connection_;
  }
  // The peer sees by it that a certificate is another, and whether the new connection works is
  // known before something depends on it.
  if (connection != 0) AskAgain(connection, Operation::Clock::now(), /*watches=*/false);
}

Status Peer::OnLinkHello(const Introduction& theirs, const PeerCertificatePtr& caller) {
  Status wrong = CheckPair(mine_, theirs);
  if (!wrong.ok()) {
    RefusedTo(wrong);
    return wrong;
  }
  // Its stream may be older than what is known of the peer since.
  wrong = identity_->CheckCaller(caller);
  if (wrong.ok()) wrong = identity_->CheckCallingParty(theirs.party_id, caller);
  if (!wrong.ok()) {
    RefuseCaller(caller, wrong);
    return wrong;
  }
  wrong = CheckIncarnation(theirs);
  if (!wrong.ok()) MeetAgain(theirs);
  return wrong;
}

Status Peer::OnLinkWelcome(const Introduction& theirs) {
  Status wrong = CheckPair(mine_, theirs);
  if (wrong.ok()) wrong = identity_->CheckCalledParty(theirs.party_id);
  if (!wrong.ok()) return wrong;
  wrong = CheckIncarnation(theirs);
  if (!wrong.ok()) MeetAgain(theirs);
  return wrong;
}

Status Peer::CheckIncarnation(const Introduction& theirs) const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (their_incarnation_ == 0 || their_incarnation_ == theirs.incarnation) return {};
  // It isn't the party that answers at the peer's address, or that party has restarted.
  if (state_ == State::kConnecting) return NotReady();
  return {};
}

// Who was met may have died before it connected, and somebody comes in its place, or answers in its
// place. Anybody can say so; the peer's own address knows. Who was sent away dials again.
void Peer::MeetAgain(const Introduction& caller) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::kConnecting || asking_ || their_incarnation_ == 0 ||
        their_incarnation_ == caller.incarnation) {
      return;
    }
    asking_ = true;
  }
  pair_.Ask(std::min(options_.keepalive_timeout_ms, kLongestCheckMs),
            [this](const Status& status, const Introduction* theirs) {
              OnMetAgain(status.ok() ? theirs : nullptr);
            });
}

void Peer::OnMetAgain(const Introduction* theirs) {
  const bool right = theirs != nullptr && CheckPair(mine_, *theirs).ok() &&
                     identity_->CheckCalledParty(theirs->party_id).ok();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    asking_ = false;
    if (!right || state_ != State::kConnecting || their_incarnation_ == 0 ||
        their_incarnation_ == theirs->incarnation) {
      return;
    }
    their_party_id_ = theirs->party_id;
  }
  // Before it is let in: what it sends from then on is to be kept.
  BindTo(*theirs);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ == State::kConnecting) their_incarnation_ = theirs->incarnation;
  }
  LogPeer(*theirs);
}

// A party that dials learns by its own Hello that the two don't belong together.
void Peer::RefusedTo(const Status& wrong) {
  if (!mine_.dials) link_->Refuse(wrong);
}

void Peer::OnLinkStranger(const Introduction& theirs, const PeerCertificatePtr& caller) {
  if (mine_.dials) OnHello(theirs, caller);
}

void Peer::OnLinkUp(const Introduction& theirs) {
  bool first = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    first = their_incarnation_ == 0;
    their_incarnation_ = theirs.incarnation;
    if (first) their_party_id_ = theirs.party_id;
  }
  if (first) {
    BindTo(theirs);
    LogPeer(theirs);
  } else {
    Log(LogLevel::kInfo, absl::StrCat("peer ", PeerName(), ": connected over the link"));
  }
  Refresh();
}

void Peer::OnConnect(const QuestionPtr& question) {
  if (options_.role == Role::kFollower) {
    question->Answer({Code::kFailedPrecondition,
                      "both parties are configured as follower: one has to be the leader"},
                     {}, nullptr);
    return;
  }
  bool connected = false;
  int64_t connection = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    connected = state_ == State::kConnected;
    if (connected && !is_efls_) connection = connection_;
  }
  if (!connected) {
    board_.Ask(kConnectTopic, question);
  } else if (connection == 0) {
    AnswerAgain(question);
  } else {
    // A follower that has restarted must not be told that it is connected: this party is going to
    // connect to it anew, and would wait for a Connect that it has answered already.
    pair_.Ask(std::min(options_.keepalive_timeout_ms, kLongestCheckMs),
              [this, connection, question](const Status& status, const Introduction* theirs) {
                OnConnectChecked(connection, question, status, theirs);
              });
  }
}

void Peer::AnswerAgain(const QuestionPtr& question) {
  Log(LogLevel::kWarning,
      absl::StrCat("the follower at ", options_.peer_address, " connected once more"));
  question->Answer({}, {}, nullptr);
}

void Peer::OnConnectChecked(int64_t connection, const QuestionPtr& question, const Status& status,
                            const Introduction* theirs) {
  const bool current = IsCurrent(connection);
  if (current && status.ok() && theirs != nullptr && Knows(theirs->incarnation)) {
    AnswerAgain(question);
    return;
  }
  if (current && theirs != nullptr) {
    Lose({Code::kAborted, "the peer has restarted and lost its state"});
  }
  // It calls again.
  question->Answer(NotReady(), {}, nullptr);
}

Status Peer::OnHello(const Introduction& theirs, const PeerCertificatePtr& caller) {
  // Whoever meets this party now would wait for it.
  if (closed()) return {Code::kUnavailable, "This party is closing."};
  Status wrong = CheckPair(mine_, theirs);
  if (wrong.ok()) wrong = CheckWires(mine_, theirs);
  if (!wrong.ok()) {
    RefusedTo(wrong);
    return wrong;
  }
  if (wrong = identity_->CheckCallingParty(theirs.party_id, caller); !wrong.ok()) {
    RefuseCaller(caller, wrong);
    return wrong;
  }
  if (identity_->IsNews(caller)) {
    Log(LogLevel::kInfo, absl::StrCat("peer ", PeerName(), " has another certificate now: ",
                                      caller->Text(), "; new calls go over new connections"));
    RenewConnections();
  }
  // Anybody can say this. Whether the peer has restarted is what the peer's own address answers.
  int64_t connection = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ == State::kConnected && !asking_ && !is_efls_ &&
        theirs.incarnation != their_incarnation_) {
      connection = connection_;
    }
  }
  if (connection != 0) AskAgain(connection, Operation::Clock::now(), /*watches=*/false);
  MeetAgain(theirs);
  return {};
}

bool Peer::is_efls() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return is_efls_;
}

bool Peer::Knows(uint64_t incarnation) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return incarnation != 0 && incarnation == their_incarnation_;
}

void Peer::OnSendFailed(const std::string& name, int64_t step, const Status& status,
                        uint64_t admitted) {
  mailbox_.Fail(name, step,
                {status.code(), absl::StrCat("the peer could not send it: ", status.message())},
                admitted);
}

void Peer::OnReset(uint64_t incarnation, const std::string& name, int64_t step,
                   const Status& status) {
  const uint64_t admitted = admission();
  if (Knows(incarnation) && !status.ok()) OnSendFailed(name, step, status, admitted);
}

void Peer::OnGoodbye(uint64_t incarnation, const std::string& reason) {
  if (Knows(incarnation)) Lose({Code::kUnavailable, absl::StrCat("the peer has left: ", reason)});
}

}  // namespace efl
