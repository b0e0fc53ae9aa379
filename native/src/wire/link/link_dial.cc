// How a party that dials comes to a connection, again and again.
#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "wire/link/link_connection.h"
#include "wire/link/link_service.h"

namespace efl {
namespace {

constexpr int64_t kFirstPauseMs = 100;
constexpr int64_t kLongestPauseMs = 2000;
// A connection that broke a short while ago is asked for more often: the pause is time lost.
constexpr std::chrono::seconds kShortWhile{12};
constexpr int64_t kLongestPauseOfAShortWhileMs = 400;
// An attempt to come back that takes longer, and longer than this many handshakes, doesn't hold up
// the next one: what it has sent may be lost.
constexpr std::chrono::milliseconds kSlowAttempt{500};
constexpr int kHandshakesOfASlowAttempt = 10;
// A certificate that has just been replaced, or listed, may not have been noticed by both parties
// yet: so long after its first refusal a link whose connection broke is dialled again for all that.
constexpr std::chrono::milliseconds kRefusalMayPass{2000};

// Growing, and never in step with other parties that have lost the same peer.
int64_t PauseAfter(int failures, int64_t longest) {
  if (failures == 0) return 0;
  static thread_local std::minstd_rand random(std::random_device{}());
  const int64_t pause = std::min(longest, kFirstPauseMs << std::min(failures - 1, 5));
  return std::uniform_int_distribution<int64_t>(pause * 3 / 4, pause * 5 / 4)(random);
}

// Said by a party that has understood the question.
bool IsVerdict(const Status& status) {
  return status.code() == Code::kFailedPrecondition || status.code() == Code::kInvalidArgument ||
         status.code() == Code::kAborted || status.code() == Code::kUnauthenticated ||
         status.code() == Code::kPermissionDenied;
}

// What may be otherwise the next time. A peer that has once let this party in does speak the link:
// when gRPC says otherwise, the connection was damaged.
bool MayPass(const Status& status, bool resumes) {
  if (resumes) return !IsVerdict(status);
  return status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded ||
         status.code() == Code::kCancelled || status.code() == Code::kUnknown ||
         status.code() == Code::kDataLoss;
}

}  // namespace

// Opens a connection, after a pause when the last attempt has failed.
void Link::Dial(uint32_t index, uint64_t epoch) {
  int64_t pause = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (epoch_ != epoch || (index > 0 && phase_ != Phase::kUp)) return;
    const Clock::time_point now = Clock::now();
    const bool short_while = phase_ == Phase::kDown && now - down_since_ < kShortWhile;
    pause = PauseAfter(dials_failed_, short_while ? kLongestPauseOfAShortWhileMs : kLongestPauseMs);
    // From the beginning of one to that of the next.
    if (index == 0) {
      pause -= std::chrono::duration_cast<std::chrono::milliseconds>(now - dialled_at_).count();
    }
  }
  if (pause <= 0) {
    DialNow(index, epoch);
  } else {
    client_->After(pause,
                   [self = shared_from_this(), index, epoch] { self->DialNow(index, epoch); });
  }
}

void Link::DialNow(uint32_t index, uint64_t epoch) {
  uint64_t attempt = 0;
  bool again = false;
  bool resumes = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (epoch_ != epoch) return;
    // It is there already.
    if (index > 0 && (index >= connections_.size() || connections_[index] != nullptr)) return;
    resumes = phase_ == Phase::kDown;
    again = resumes || dials_failed_ > 0;
    if (index == 0) {
      attempt = ++attempt_;
      dialled_at_ = Clock::now();
    }
  }
  // The one there was may be dead without anybody knowing, and gRPC pauses after failures of its
  // own.
  if (again) client_->Renew(static_cast<int>(index));
  const auto connection = std::make_shared<Connection>(shared_from_this(), nullptr, nullptr,
                                                       /*dialled=*/true, index, epoch, attempt);
  client_->Open(kLinkExchange, static_cast<int>(index), connection);
  LimitHandshake(connection);
  if (index == 0 && resumes) DialAnotherSoon(epoch, attempt);
}

// Beside this attempt, which may still succeed: the first that does replaces the others.
void Link::DialAnotherSoon(uint64_t epoch, uint64_t attempt) {
  Clock::duration wait{};
  {
    std::lock_guard<std::mutex> lock(mutex_);
    wait = std::max<Clock::duration>(kSlowAttempt, handshake_ * kHandshakesOfASlowAttempt);
  }
  const int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
  client_->After(ms, [self = shared_from_this(), epoch, attempt, ms] {
    {
      std::lock_guard<std::mutex> lock(self->mutex_);
      if (self->epoch_ != epoch || self->attempt_ != attempt) return;
      ++self->attempt_;  // its failure would say nothing new
    }
    self->OnDialFailed(
        0, epoch,
        {Code::kDeadlineExceeded, absl::StrCat("no answer to the handshake after ", ms, " ms")},
        /*latest=*/true);
  });
}

// `latest`: no other attempt has begun beside it, which decides whether there is another one. What
// the peer says counts whenever it comes.
void Link::OnDialFailed(uint32_t index, uint64_t epoch, const Status& status, bool latest) {
  Status given_up;
  bool connecting = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (epoch_ != epoch) return;
    if (!latest && !IsVerdict(status)) return;
    if (latest) ++dials_failed_;
    connecting = phase_ == Phase::kConnecting;
    const bool late = phase_ == Phase::kDown && Clock::now() - down_since_ >= ReconnectTimeout();
    const bool refused_just_now = status.code() == Code::kUnauthenticated &&
                                  phase_ == Phase::kDown && RefusedFor() < kRefusalMayPass;
    if (!MayPass(status, phase_ == Phase::kDown) && !refused_just_now && index == 0) {
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
    if (latest) Dial(index, epoch);
  } else if (connecting) {
    EndConnecting(given_up, epoch);
  } else if (given_up.code() == Code::kAborted) {
    Lose({Code::kAborted, "the peer has restarted and lost its state"}, epoch);
  } else {
    Lose(given_up, epoch);
  }
}

}  // namespace efl
