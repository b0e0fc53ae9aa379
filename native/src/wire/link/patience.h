// How long a party is waited for that says nothing, though it promised to say something.
#pragma once

#include <chrono>
#include <optional>

namespace efl {

// Short, so that a connection which died without a word is soon replaced by another one; longer
// where the line is seen to be slow: a message waits there behind those before it, and who gave up
// each time would never get one through. Not synchronized.
class Patience {
 public:
  using Clock = std::chrono::steady_clock;

  // `most`: what it never exceeds.
  explicit Patience(Clock::duration most) : most_(most) {}

  // The peer has said something, so much later than promised; not positive: in time.
  void OnHeard(Clock::time_point now, Clock::duration late);
  // It was given up for its silence. `brought`: something, in this connection. Otherwise it may be
  // that nothing gets through in the time that there was.
  void OnGivenUp(Clock::time_point now, bool brought);
  // It is there again. Soon means that the silence was the line's, and nothing was wrong with it.
  void OnReturn(Clock::time_point now, Clock::duration round_trip);

  // How long, at this time.
  Clock::duration At(Clock::time_point now);

 private:
  void Forget(Clock::time_point now);
  void Double(Clock::time_point now);

  const Clock::duration most_;
  Clock::duration level_ = kFirst;
  // The longest delays that were waited out, of this while and of the one before.
  Clock::duration latest_{}, before_{};
  Clock::time_point since_{};  // when this while began
  // Since when it is given up, if its coming back may say something.
  std::optional<Clock::time_point> given_up_;

  static constexpr std::chrono::milliseconds kFirst{500};
};

}  // namespace efl
