#include "base/tensor.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

namespace efl {
namespace {

TEST(TensorTest, ShouldCountElementsWithoutOverflow) {
  EXPECT_EQ(ElementCount({}), 1);
  EXPECT_EQ(ElementCount({2, 3}), 6);
  EXPECT_EQ(ElementCount({0, std::numeric_limits<int64_t>::max(), 8}), 0);
  EXPECT_EQ(ElementCount({std::numeric_limits<int64_t>::max(), 8}), -1);
  EXPECT_EQ(ElementCount({2, -1}), -1);
}

TEST(TensorTest, ShouldCheckBytesAgainstDTypeAndShape) {
  EXPECT_TRUE(CheckTensor({"x", 0, kFloat, {2, 3}, 24}).ok());
  EXPECT_TRUE(CheckTensor({"x", 0, kString, {2}, 2}).ok());
  EXPECT_TRUE(CheckTensor({"x", 0, kString, {0}, 0}).ok());
  for (const TensorInfo& wrong :
       {TensorInfo{"x", 0, kFloat, {2, 3}, 23}, TensorInfo{"x", 0, kFloat, {2, 3}, 28},
        TensorInfo{"x", 0, kFloat, {-2}, 8}, TensorInfo{"x", 0, 0, {1}, 4},
        TensorInfo{"x", 0, 99, {1}, 4}, TensorInfo{"x", 0, kString, {3}, 2},
        TensorInfo{"x", 0, kString, {0}, 1}}) {
    EXPECT_EQ(CheckTensor(wrong).code(), Code::kInvalidArgument) << wrong.dtype;
  }
}

TEST(PayloadTest, ShouldReleaseOnceWhereverItIsMoved) {
  int released = 0;
  const auto release = [](void* count) { ++*static_cast<int*>(count); };
  {
    Payload first("ab", 2, release, &released);
    Payload second(std::move(first));
    Payload third;
    third = std::move(second);
    EXPECT_EQ(released, 0);
    EXPECT_EQ(third.size(), 2U);
  }
  EXPECT_EQ(released, 1);
}

}  // namespace
}  // namespace efl
