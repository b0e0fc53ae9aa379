#include "grpc/refusal_log.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "support/log_lines.h"

namespace efl::test {
namespace {

class RefusalLogTest : public testing::Test {
 protected:
  void Refuse(const std::string& why) {
    log.Note("a caller at x", {Code::kUnauthenticated, why}, now);
  }
  void Later(int seconds) { now += std::chrono::seconds(seconds); }

  LogLines lines;
  RefusalLog log;
  RefusalLog::Clock::time_point now = RefusalLog::Clock::now();
};

TEST_F(RefusalLogTest, ShouldSayTheSameOnceAndThenHowOften) {
  // As two callers by turns.
  for (int i = 0; i < 50; ++i) {
    Refuse("one");
    Refuse("another");
  }
  log.Tell(now);
  EXPECT_EQ(lines.Count("refused a caller at x: one\n"), 1);
  EXPECT_EQ(lines.Count("refused a caller at x: another\n"), 1);
  EXPECT_EQ(lines.Count("\n"), 2);
  Later(10);
  log.Tell(now);
  EXPECT_EQ(lines.Count("refused a caller at x, 49 times in 10 s: one\n"), 1);
  EXPECT_EQ(lines.Count("refused a caller at x, 49 times in 10 s: another\n"), 1);
  Refuse("one");
  EXPECT_EQ(lines.Count("\n"), 4);
  Later(10);
  log.Tell(now);
  EXPECT_EQ(lines.Count("refused a caller at x, 1 times in 10 s: one\n"), 1);
  EXPECT_EQ(lines.Count("\n"), 5);
}

TEST_F(RefusalLogTest, ShouldSayAtOnceWhatHasNotComeForLong) {
  Refuse("one");
  Later(10);
  log.Tell(now);
  Refuse("one");
  EXPECT_EQ(lines.Count("refused a caller at x: one\n"), 2);
  EXPECT_EQ(lines.Count("\n"), 2);
}

TEST_F(RefusalLogTest, ShouldStayShortWhenEachRefusalIsAnother) {
  for (int i = 0; i < 1000; ++i) Refuse(absl::StrCat("certificate ", i));
  EXPECT_EQ(lines.Count("\n"), static_cast<int>(RefusalLog::kMost) + 1);
  EXPECT_EQ(lines.Count("refused a caller at x: for many reasons"), 1);
  Later(10);
  log.Tell(now);
  EXPECT_EQ(lines.Count("967 times in 10 s: for many reasons"), 1);
  Later(10);
  log.Tell(now);
  Refuse("certificate 0");
  EXPECT_EQ(lines.Count("refused a caller at x: certificate 0\n"), 2);
}

}  // namespace
}  // namespace efl::test
