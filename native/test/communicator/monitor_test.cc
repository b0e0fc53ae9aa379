#include "communicator/monitor.h"

#include <gtest/gtest.h>

#include "support/pair.h"

namespace efl {
namespace {

using test::Ending;

OperationPtr Make(Ending* ending, int64_t timeout_ms, uint64_t group = 0) {
  Operation::Spec spec;
  spec.subject = {"receive tensor", "x", 1, "bob:1"};
  spec.group = group;
  spec.timeout_ms = timeout_ms;
  spec.done = ending->done();
  return std::make_shared<Operation>(std::move(spec));
}

class MonitorTest : public testing::Test {
 protected:
  // The scan alone would be far too late.
  const std::shared_ptr<Monitor> shared = std::make_shared<Monitor>(std::chrono::hours(1));
  Monitor& monitor = *shared;
  const int owner = 0;
};

TEST_F(MonitorTest, ShouldEndWhatIsOverdueAtItsTimeNotAtTheScan) {
  Ending slow, quick;
  bool abandoned = false;
  const OperationPtr operation = Make(&quick, 30);
  operation->set_note("the peer has not sent it");
  operation->set_abandon([&](const Status&) { abandoned = true; });
  const OperationPtr other = Make(&slow, 600'000);
  ASSERT_TRUE(monitor.Watch(other, &owner).ok());
  ASSERT_TRUE(monitor.Watch(operation, &owner).ok());
  EXPECT_EQ(quick.status().code(), Code::kDeadlineExceeded);
  EXPECT_TRUE(abandoned);
  EXPECT_EQ(quick.status().Text().find("DEADLINE_EXCEEDED: receive tensor 'x' step 1, peer bob:1: "
                                       "the peer has not sent it after 0."),
            0U)
      << quick.status().Text();
  EXPECT_EQ(monitor.pending(&owner), 1);
  other->TryEnd({});
  EXPECT_EQ(monitor.pending(&owner), 0);
}

TEST_F(MonitorTest, ShouldLeaveAloneWhatHasBeenClaimed) {
  Ending ending;
  const OperationPtr operation = Make(&ending, 5);
  ASSERT_TRUE(monitor.Watch(operation, &owner).ok());
  ASSERT_TRUE(operation->Claim());
  EXPECT_FALSE(ending.ended_within(std::chrono::milliseconds(50)));
  operation->End({});
  EXPECT_EQ(ending.status().Text(), "OK");
}

TEST_F(MonitorTest, ShouldFailAGroupOfOneOwnerOnly) {
  Ending first, second, ungrouped, of_another;
  const int another = 0;
  const OperationPtr failing = Make(&first, 600'000, 7);
  const OperationPtr with_it = Make(&second, 600'000, 7);
  const OperationPtr alone = Make(&ungrouped, 600'000);
  const OperationPtr theirs = Make(&of_another, 600'000, 7);
  ASSERT_TRUE(monitor.Watch(failing, &owner).ok());
  ASSERT_TRUE(monitor.Watch(with_it, &owner).ok());
  ASSERT_TRUE(monitor.Watch(alone, &owner).ok());
  ASSERT_TRUE(monitor.Watch(theirs, &another).ok());
  failing->TryEnd({Code::kDataLoss, "out of step"});
  EXPECT_EQ(second.status().code(), Code::kAborted);
  EXPECT_EQ(monitor.pending(&owner), 1);
  EXPECT_EQ(monitor.pending(&another), 1);
  alone->TryEnd({});
  theirs->TryEnd({});
}

TEST_F(MonitorTest, ShouldNotFailAGroupWhoseOperationSucceeds) {
  Ending first, second;
  const OperationPtr one = Make(&first, 600'000, 8);
  const OperationPtr two = Make(&second, 600'000, 8);
  ASSERT_TRUE(monitor.Watch(one, &owner).ok());
  ASSERT_TRUE(monitor.Watch(two, &owner).ok());
  one->TryEnd({});
  EXPECT_EQ(monitor.pending(&owner), 1);
  two->TryEnd({});
  EXPECT_EQ(second.status().Text(), "OK");
}

TEST_F(MonitorTest, ShouldEndAllOfAnOwnerForTheSameReason) {
  Ending first, second;
  ASSERT_TRUE(monitor.Watch(Make(&first, 600'000, 3), &owner).ok());
  ASSERT_TRUE(monitor.Watch(Make(&second, 600'000, 3), &owner).ok());
  monitor.AbandonAll(&owner, {Code::kCancelled, "closed"});
  EXPECT_EQ(first.status().code(), Code::kCancelled);
  EXPECT_EQ(second.status().code(), Code::kCancelled);
}

}  // namespace
}  // namespace efl
