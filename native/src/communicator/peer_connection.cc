// How a Peer finds the other party, looks after the connection, and loses it.
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "communicator/peer.h"
#include "wire/link/link_service.h"

namespace efl {
namespace {

// How often the connection is looked at, and asked for when it is gone.
constexpr int64_t kLookAfterMs = 250;

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
    connection = ++connection_;
  }
  const bool over_link = wire_ == link_.get();
  if (!status.ok()) {
    // A follower whose Connect waits here would wait for nothing.
    board_.Refuse(kConnectTopic, status);
  } else if (!over_link) {
    WatchConnection(connection);
  } else if (!link_->up()) {
    Lose({Code::kUnavailable, "the link was lost as soon as it was there"});
  }
}

void Peer::Connect(Call call) {
  const Status refused = BeginConnect();
  if (refused.ok()) {
    call.done = [this, done = std::move(call.done)](const Status& status, const Outcome& outcome) {
      OnConnected(status);
      done(status, outcome);
    };
  }
  const Errand errand = StartErrand(About("connect"), std::move(call), refused);
  if (errand.operation == nullptr) return;
  mailbox_.Forget();
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
  Status wrong = theirs != nullptr ? CheckPair(*theirs) : Status();
  if (wrong.ok()) wrong = ChooseWire(theirs);
  if (!wrong.ok()) {
    errand.operation->TryEnd(wrong);
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    is_efls_ = theirs == nullptr;
    their_incarnation_ = theirs != nullptr ? theirs->incarnation : 0;
  }
  if (theirs != nullptr) LogPeer(*theirs);
  ConnectOverWire(errand);
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

StreamEventsPtr Peer::AcceptStream() { return link_->Accept(shared_from_this()); }

Status Peer::OnLinkHello(const Introduction& theirs) {
  Status wrong = CheckPair(theirs);
  if (!wrong.ok()) {
    RefusedTo(wrong);
    return wrong;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (their_incarnation_ == 0 || their_incarnation_ == theirs.incarnation) return {};
  // It isn't the party that answers at the peer's address, or that party has restarted.
  if (state_ == State::kConnecting) return {Code::kUnavailable, "This party is not ready yet."};
  return {};
}

// A party that dials learns by its own Hello that the two don't belong together.
void Peer::RefusedTo(const Status& wrong) {
  if (!mine_.dials) link_->Refuse(wrong);
}

void Peer::OnLinkStranger(const Introduction& theirs) {
  if (mine_.dials) OnHello(theirs);
}

void Peer::OnLinkUp(const Introduction& theirs) {
  bool first = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    first = their_incarnation_ == 0;
    their_incarnation_ = theirs.incarnation;
    their_party_id_ = theirs.party_id;
  }
  if (first) LogPeer(theirs);
}

void Peer::OnConnect(const QuestionPtr& question) {
  if (options_.role == Role::kFollower) {
    question->Answer({Code::kFailedPrecondition, "both parties are configured as follower"}, {},
                     nullptr);
    return;
  }
  bool connected = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    connected = state_ == State::kConnected;
  }
  if (connected) {
    Log(LogLevel::kWarning,
        absl::StrCat("the follower at ", options_.peer_address, " connected once more"));
    question->Answer({}, {}, nullptr);
  } else {
    board_.Ask(kConnectTopic, question);
  }
}

Status Peer::CheckPair(const Introduction& theirs) const {
  if (theirs.incarnation == 0) {
    return {Code::kInvalidArgument, "a party introduces itself with its incarnation"};
  }
  if (theirs.leader == mine_.leader) {
    return {Code::kFailedPrecondition,
            absl::StrCat("both parties are configured as ", RoleName(options_.role),
                         ": one has to be the ", mine_.leader ? "follower" : "leader")};
  }
  // In words that are right at both ends.
  const auto differ = [this](const char* what, const auto& mine, const auto& other) -> Status {
    return {Code::kFailedPrecondition,
            absl::StrCat("the parties belong to different pairs: ", what, " is '",
                         mine_.leader ? mine : other, "' at the leader, '",
                         mine_.leader ? other : mine, "' at the follower")};
  };
  if (theirs.job_id != mine_.job_id) return differ("job_id", mine_.job_id, theirs.job_id);
  if (theirs.worker_count != mine_.worker_count) {
    return differ("worker_count", mine_.worker_count, theirs.worker_count);
  }
  if (theirs.worker_index != mine_.worker_index) {
    return differ("worker_index", mine_.worker_index, theirs.worker_index);
  }
  return {};
}

Status Peer::OnHello(const Introduction& theirs) {
  if (Status wrong = CheckPair(theirs); !wrong.ok()) {
    RefusedTo(wrong);
    return wrong;
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
  if (connection != 0) AskAgain(connection, Operation::Clock::now());
  return {};
}

bool Peer::is_efls() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return is_efls_;
}

bool Peer::IsCurrent(int64_t connection) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return state_ == State::kConnected && connection_ == connection;
}

void Peer::WatchConnection(int64_t connection) {
  client_.After(kLookAfterMs, [this, connection] {
    if (!IsCurrent(connection)) return;
    if (client_.ready()) {
      WatchConnection(connection);
    } else {
      AskAgain(connection, Operation::Clock::now());
    }
  });
}

void Peer::AskAgain(int64_t connection, Operation::Clock::time_point since) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    asking_ = true;
  }
  pair_.Ask([this, connection, since](const Status& status, const Introduction* theirs) {
    OnAsked(connection, since, status, theirs);
  });
}

void Peer::OnAsked(int64_t connection, Operation::Clock::time_point since, const Status& status,
                   const Introduction* theirs) {
  bool restarted = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    asking_ = false;
    restarted = theirs != nullptr && theirs->incarnation != their_incarnation_;
  }
  if (!IsCurrent(connection)) return;
  const auto gone = Operation::Clock::now() - since;
  if (restarted) {
    Lose({Code::kAborted, "the peer has restarted and lost its state"});
  } else if (wire_ == link_.get()) {
    return;  // which looks after itself
  } else if (status.ok()) {
    WatchConnection(connection);
  } else if (gone < std::chrono::milliseconds(options_.reconnect_timeout_ms)) {
    client_.After(kLookAfterMs, [this, connection, since] {
      if (IsCurrent(connection)) AskAgain(connection, since);
    });
  } else {
    Lose({Code::kUnavailable,
          absl::StrCat("the connection broke and could not be made again within ",
                       options_.reconnect_timeout_ms, " ms: ", status.message())});
  }
}

void Peer::Lose(const Status& status) {
  std::function<void()> end_link;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::kConnected) return;
    // At once, so that it isn't the next connection's link that ends.
    end_link = link_->Detach(status);
    state_ = State::kIdle;
    lost_ = status;
  }
  Log(LogLevel::kInfo, absl::StrCat("peer ", PeerName(), ": ", status.Text()));
  // Over the trainer wire, what the peer was asked ends with its own answer, which may be on the way.
  end_link();
  mailbox_.AbandonWaiting(status);
  board_.AbandonWaiting(status);
}

bool Peer::Knows(uint64_t incarnation) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return incarnation != 0 && incarnation == their_incarnation_;
}

void Peer::OnSendFailed(const std::string& name, int64_t step, const Status& status) {
  mailbox_.Fail(name, step,
                {status.code(), absl::StrCat("the peer could not send it: ", status.message())});
}

void Peer::OnReset(uint64_t incarnation, const std::string& name, int64_t step,
                   const Status& status) {
  if (Knows(incarnation) && !status.ok()) OnSendFailed(name, step, status);
}

void Peer::OnGoodbye(uint64_t incarnation, const std::string& reason) {
  if (Knows(incarnation)) Lose({Code::kUnavailable, absl::StrCat("the peer has left: ", reason)});
}

}  // namespace efl
