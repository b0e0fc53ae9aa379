// Whether the wall clock jumps in a run under support/stepping_clock.c, and in no other.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace efl::test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

TEST(ClockTest, ShouldJumpWhereItIsSaidToAndNowhereElse) {
  const auto begin = steady_clock::now();
  auto least = system_clock::now(), most = least;
  while (steady_clock::now() - begin < seconds(1)) {
    least = std::min(least, system_clock::now());
    most = std::max(most, system_clock::now());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const bool said = std::getenv("EFL_TEST_CLOCK_JUMPS") != nullptr;
  EXPECT_EQ(most - least > std::chrono::hours(1), said);
}

}  // namespace
}  // namespace efl::test
