#include "wire/link/patience.h"

#include <algorithm>
#include <utility>

namespace efl {
namespace {

// So many of the longest delay seen.
constexpr int kDelays = 3;
// How soon a connection is made where nothing is in the way: TCP, TLS, gRPC's settings, the
// handshake, and as much again.
constexpr std::chrono::seconds kMoment{1};
constexpr int kRoundTripsOfAReturn = 10;
// How long a while is: what was learnt is forgotten by halves.
constexpr std::chrono::minutes kWhile{5};

}  // namespace

void Patience::OnHeard(Clock::time_point now, Clock::duration late) {
  Forget(now);
  latest_ = std::max(latest_, late);
}

void Patience::OnGivenUp(Clock::time_point now, bool brought) {
  if (brought) {
    given_up_ = now;
  } else {
    Double(now);
  }
}

void Patience::OnReturn(Clock::time_point now, Clock::duration round_trip) {
  if (!given_up_) return;
  const Clock::duration away = now - *std::exchange(given_up_, std::nullopt);
  if (away < std::max<Clock::duration>(kMoment, kRoundTripsOfAReturn * round_trip)) Double(now);
}

void Patience::Double(Clock::time_point now) { level_ = std::min(2 * At(now), most_); }

Patience::Clock::duration Patience::At(Clock::time_point now) {
  Forget(now);
  const Clock::duration wanted =
      std::max<Clock::duration>(level_, kDelays * std::max(latest_, before_));
  return std::min(wanted, most_);
}

void Patience::Forget(Clock::time_point now) {
  if (since_ == Clock::time_point()) since_ = now;
  // After a day of silence nothing is left to be halved.
  for (int i = 0; i < 16 && now - since_ >= kWhile; ++i) {
    since_ += kWhile;
    before_ = std::exchange(latest_, {});
    level_ = std::max<Clock::duration>(level_ / 2, kFirst);
  }
  if (now - since_ >= kWhile) since_ = now;
}

}  // namespace efl
