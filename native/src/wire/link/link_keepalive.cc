// Whether the other party of a connection is still there. gRPC's own keepalive doesn't serve: its
// ping waits behind a write that is stuck, which is what a frozen peer does to it, and an EFLS
// party would take it for an attack.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "wire/link/link_connection.h"

namespace efl {
namespace {

// A look that comes this much later than planned: this party itself was stopped meanwhile.
constexpr std::chrono::milliseconds kOverslept{500};

}  // namespace

// Under the lock, when the handshake of a connection is over.
void Link::Watch(const ConnectionPtr& connection) {
  const Clock::time_point now = Clock::now();
  connection->pulse.heard = connection->pulse.said = now;
  if (terms_.keepalive_interval_ms() == 0) return;
  connection->pulse.ping_due = true;
  const auto interval = KeepaliveInterval();
  client_->After(interval.count() / 2,
                 [self = shared_from_this(), connection, planned = now + interval / 2] {
                   self->LookAfter(connection, planned);
                 });
}

// Under the lock.
void Link::OnHeard(const ConnectionPtr& connection, const LinkControl& control) {
  Connection::Pulse& pulse = connection->pulse;
  const Clock::time_point now = Clock::now();
  patience_.OnHeard(now, now - pulse.heard - KeepaliveInterval());
  pulse.heard = now;
  pulse.brought |= control.frames_size() > 0;
  if (control.ping() > 0) pulse.pong_due = control.ping();
  if (control.pong() > 0 && control.pong() == pulse.ping) {
    const auto took = pulse.heard - pulse.pinged;
    patience_.OnHeard(now, took);
    round_trip_us_ = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  }
}

std::chrono::milliseconds Link::KeepaliveInterval() const {
  return std::chrono::milliseconds(terms_.keepalive_interval_ms());
}

// Either party says something at least each interval, and hears something at least each interval
// and what patience it has.
void Link::LookAfter(const ConnectionPtr& connection, Clock::time_point planned) {
  const Clock::time_point now = Clock::now();
  Clock::time_point next;
  Clock::duration silent{};
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!IsAttached(*connection)) return;
    Connection::Pulse& pulse = connection->pulse;
    const auto interval = KeepaliveInterval();
    const Clock::duration timeout = patience_.At(now);
    // What it has brought is being worked on, and who works on it may take long.
    if (now - planned > kOverslept || connection->working()) pulse.heard = now;
    if (now - pulse.heard >= interval + timeout) {
      silent = now - pulse.heard;
      patience_.OnGivenUp(now, pulse.brought);
    }
    // Said in half the time: the other party counts from when it has got it.
    if (now - pulse.said >= interval / 2) pulse.ping_due = true;
    next = std::min(now + interval / 2, pulse.heard + interval + timeout);
  }
  if (silent > Clock::duration::zero()) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(silent).count();
    Fall(connection,
         {Code::kUnavailable, absl::StrCat("nothing was heard from the peer for ", ms, " ms")});
    return;
  }
  Pump();
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(next - now).count() + 1;
  client_->After(
      wait, [self = shared_from_this(), connection, next] { self->LookAfter(connection, next); });
}

}  // namespace efl
