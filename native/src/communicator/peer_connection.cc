// How a Peer finds the other party, looks after the connection, and loses it.
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "communicator/peer.h"

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
  // A follower whose Connect waits here would wait for nothing.
  if (!status.ok()) board_.Refuse(kConnectTopic, status);
  if (status.ok()) WatchConnection(connection);
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
  mailbox_.ForgetFailures();
  pair_.Meet(errand, [this, errand](const Introduction* theirs) { OnMet(errand, theirs); });
}

void Peer::OnMet(const Errand& errand, const Introduction* theirs) {
  if (theirs != nullptr) {
    if (Status wrong = CheckPair(*theirs); !wrong.ok()) {
      errand.operation->TryEnd(wrong);
      return;
    }
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    is_efls_ = theirs == nullptr;
    their_incarnation_ = theirs != nullptr ? theirs->incarnation : 0;
  }
  if (theirs != nullptr) {
    const std::string& id = theirs->party_id;
    Log(LogLevel::kInfo, absl::StrCat("peer ", options_.peer_address,
                                      id.empty() ? "" : absl::StrCat(" ('", id, "')"), " is a ",
                                      theirs->leader ? "leader" : "follower"));
  }
  if (options_.role == Role::kFollower) {
    wire_->Connect(errand);
    return;
  }
  errand.operation->set_note("the follower has not connected");
  board_.Post(kConnectTopic, std::make_shared<Answer>(Answer{errand.operation, {}, {}}));
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
  if (theirs.leader != mine_.leader) return {};
  return {Code::kFailedPrecondition,
          absl::StrCat("both parties are configured as ", RoleName(options_.role),
                       ": one has to be the ", mine_.leader ? "follower" : "leader")};
}

Status Peer::OnHello(const Introduction& theirs) {
  if (Status wrong = CheckPair(theirs); !wrong.ok()) return wrong;
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
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::kConnected) return;
    state_ = State::kIdle;
    lost_ = status;
  }
  Log(LogLevel::kInfo, absl::StrCat("peer ", options_.peer_address, ": ", status.Text()));
  // What the peer was asked ends with its own answer, which may be on the way.
  mailbox_.AbandonWaiting(status);
  board_.AbandonWaiting(status);
  mailbox_.ForgetFailures();
}

bool Peer::Knows(uint64_t incarnation) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return incarnation != 0 && incarnation == their_incarnation_;
}

void Peer::OnReset(uint64_t incarnation, const std::string& name, int64_t step,
                   const Status& status) {
  if (!Knows(incarnation) || status.ok()) return;
  mailbox_.Fail(name, step,
                {status.code(), absl::StrCat("the peer could not send it: ", status.message())});
}

void Peer::OnGoodbye(uint64_t incarnation, const std::string& reason) {
  if (Knows(incarnation)) Lose({Code::kUnavailable, absl::StrCat("the peer has left: ", reason)});
}

}  // namespace efl
