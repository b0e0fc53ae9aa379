#include "wire/link/patience.h"

#include <gtest/gtest.h>

#include <chrono>

namespace efl::test {
namespace {

using namespace std::chrono_literals;

class PatienceTest : public testing::Test {
 protected:
  std::chrono::milliseconds Now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(patience.At(now));
  }
  // A connection that had brought something was given up, and is there again after so long.
  void Return(Patience::Clock::duration away, Patience::Clock::duration round_trip = 1ms) {
    patience.OnGivenUp(now, true);
    patience.OnReturn(now + away, round_trip);
  }

  Patience patience{6s};
  Patience::Clock::time_point now = Patience::Clock::now();
};

TEST_F(PatienceTest, ShouldBeShortUntilTheLineIsKnown) { EXPECT_EQ(Now(), 500ms); }

TEST_F(PatienceTest, ShouldNotExceedWhatIsAskedFor) {
  Patience shorter(200ms);
  EXPECT_EQ(shorter.At(now), 200ms);
  for (int i = 0; i < 10; ++i) Return(10ms);
  EXPECT_EQ(Now(), 6s);
  patience.OnHeard(now, 1h);
  EXPECT_EQ(Now(), 6s);
}

TEST_F(PatienceTest, ShouldGrowWhenNothingWasWrongWithTheLine) {
  Return(50ms);
  EXPECT_EQ(Now(), 1s);
  Return(50ms);
  EXPECT_EQ(Now(), 2s);
  // It was gone.
  Return(3s);
  EXPECT_EQ(Now(), 2s);
  // It wasn't: so long does a connection take there.
  Return(3s, 400ms);
  EXPECT_EQ(Now(), 4s);
}

TEST_F(PatienceTest, ShouldGrowWhenNothingGetsThroughInTheTimeThatThereIs) {
  for (const auto expected : {1s, 2s, 4s, 6s}) {
    patience.OnGivenUp(now, false);
    EXPECT_EQ(Now(), expected);
    patience.OnReturn(now + 1h, 1ms);
    EXPECT_EQ(Now(), expected);
  }
}

TEST_F(PatienceTest, ShouldCountAReturnOnce) {
  Return(50ms);
  patience.OnReturn(now + 60ms, 1ms);
  EXPECT_EQ(Now(), 1s);
}

TEST_F(PatienceTest, ShouldBeSeveralTimesTheLongestDelaySeen) {
  patience.OnHeard(now, -150ms);
  EXPECT_EQ(Now(), 500ms);
  patience.OnHeard(now, 400ms);
  patience.OnHeard(now, 10ms);
  EXPECT_EQ(Now(), 1200ms);
  // Which wasn't enough.
  Return(50ms);
  EXPECT_EQ(Now(), 2400ms);
}

TEST_F(PatienceTest, ShouldForgetByHalves) {
  Return(50ms);
  Return(50ms);
  patience.OnHeard(now, 1s);
  EXPECT_EQ(Now(), 3s);
  now += 5min + 1s;
  EXPECT_EQ(Now(), 3s);
  now += 5min;
  EXPECT_EQ(Now(), 500ms);
}

TEST_F(PatienceTest, ShouldKnowNothingOfALongTimeAgo) {
  for (int i = 0; i < 10; ++i) Return(10ms);
  now += 24h * 365;
  EXPECT_EQ(Now(), 500ms);
  Return(10ms);
  EXPECT_EQ(Now(), 1s);
  now += 4min;
  EXPECT_EQ(Now(), 1s);
}

}  // namespace
}  // namespace efl::test
