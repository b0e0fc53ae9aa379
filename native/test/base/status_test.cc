#include "base/status.h"

#include <gtest/gtest.h>

namespace efl {
namespace {

TEST(StatusTest, ShouldSayEverythingInOneLine) {
  const Status status(Code::kDataLoss, "out of step");
  EXPECT_EQ(status.Text(), "DATA_LOSS: out of step");
  EXPECT_EQ(status.About({"receive tensor", "fc1", 3, "bob:50052"}).Text(),
            "DATA_LOSS: receive tensor 'fc1' step 3, peer bob:50052: out of step");
  EXPECT_EQ(status.About({"connect", "", -1, "bob:50052"}).Text(),
            "DATA_LOSS: connect, peer bob:50052: out of step");
}

TEST(StatusTest, ShouldStayOkWhateverItIsAbout) {
  const Status ok;
  EXPECT_TRUE(ok.About({"connect", "", -1, "bob"}).ok());
  EXPECT_EQ(ok.Text(), "OK");
  EXPECT_TRUE(Status(Code::kOk, "a message of no use").ok());
}

TEST(StatusTest, ShouldMapNumbersItDoesNotKnowToUnknown) {
  EXPECT_EQ(CodeFromNumber(16), Code::kUnauthenticated);
  EXPECT_EQ(CodeFromNumber(17), Code::kUnknown);
  EXPECT_EQ(CodeFromNumber(-1), Code::kUnknown);
}

}  // namespace
}  // namespace efl
