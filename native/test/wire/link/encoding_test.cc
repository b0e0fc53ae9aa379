#include "wire/link/encoding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "support/pair.h"

namespace efl {
namespace {

using test::ExpectSaid;

EncodingRules Parsed(const std::string& text) {
  EncodingRules rules;
  EXPECT_EQ(EncodingRules::Parse(text, &rules).Text(), "OK");
  return rules;
}

// There and back.
std::vector<float> Through(LinkEncoding encoding, const std::vector<float>& values) {
  const size_t size = values.size() * sizeof(float);
  const TensorInfo info{"x", 0, kFloat, {static_cast<int64_t>(values.size())}, size};
  Payload payload(values.data(), size, nullptr, nullptr);
  EXPECT_EQ(EncodeContent(encoding, &payload).Text(), "OK");
  EXPECT_EQ(CheckEncoding(info, encoding, payload.size()).Text(), "OK");
  std::vector<float> back(values.size());
  EXPECT_EQ(DecodeContent(info, encoding, payload.data(), payload.size(), back.data()).Text(),
            "OK");
  return back;
}

TEST(EncodingRulesTest, ShouldTakeTheFirstPatternThatFits) {
  const EncodingRules rules = Parsed("fc1_grad=none,fc*=bfloat16,*=zstd");
  EXPECT_EQ(rules.For("fc1_grad", kFloat), LINK_ENCODING_NONE);
  EXPECT_EQ(rules.For("fc1", kFloat), LINK_ENCODING_BFLOAT16);
  EXPECT_EQ(rules.For("fc1", kInt64), LINK_ENCODING_NONE);
  EXPECT_EQ(rules.For("ids", kInt64), LINK_ENCODING_ZSTD);
  EXPECT_EQ(Parsed("").For("ids", kInt64), LINK_ENCODING_NONE);
}

TEST(EncodingRulesTest, ShouldSayWhatItDoesNotUnderstand) {
  EncodingRules rules;
  ExpectSaid(EncodingRules::Parse("a=zip", &rules), Code::kInvalidArgument, "'a=zip': expected");
  ExpectSaid(EncodingRules::Parse("zstd", &rules), Code::kInvalidArgument, "'zstd': expected");
  ExpectSaid(EncodingRules::Parse("=zstd", &rules), Code::kInvalidArgument, "a pattern is missing");
}

TEST(EncodingTest, ShouldLoseNothingWithZstd) {
  std::vector<float> values(100'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 100);
  EXPECT_EQ(Through(LINK_ENCODING_ZSTD, values), values);
}

TEST(EncodingTest, ShouldRoundToTheNearestBfloat16) {
  const float inf = std::numeric_limits<float>::infinity();
  // 1 + 2^-8 lies between two: to even, down. 1 + 3 * 2^-8: up.
  const std::vector<float> values{0.0F, -0.0F, 1.0F, 1.00390625F, 1.01171875F, -2.5F, inf, -inf};
  const std::vector<float> expected{0.0F, -0.0F, 1.0F, 1.0F, 1.015625F, -2.5F, inf, -inf};
  const std::vector<float> back = Through(LINK_ENCODING_BFLOAT16, values);
  EXPECT_EQ(std::memcmp(back.data(), expected.data(), back.size() * sizeof(float)), 0);
  const float nan = Through(LINK_ENCODING_BFLOAT16, {std::nanf("")}).front();
  EXPECT_TRUE(std::isnan(nan));
}

TEST(EncodingTest, ShouldRefuseWhatCannotBeATensorOfItsSize) {
  const TensorInfo info{"x", 0, kFloat, {100}, 400};
  EXPECT_FALSE(CheckEncoding(info, LINK_ENCODING_NONE, 399).ok());
  EXPECT_FALSE(CheckEncoding(info, LINK_ENCODING_BFLOAT16, 400).ok());
  EXPECT_FALSE(CheckEncoding(info, LINK_ENCODING_ZSTD, 1 << 20).ok());
  EXPECT_FALSE(CheckEncoding(info, static_cast<LinkEncoding>(9), 400).ok());
  std::vector<char> to(400);
  EXPECT_FALSE(DecodeContent(info, LINK_ENCODING_ZSTD, "garbage", 7, to.data()).ok());
  // A whole frame, of another tensor.
  const std::vector<char> other(200);
  Payload payload(other.data(), other.size(), nullptr, nullptr);
  ASSERT_TRUE(EncodeContent(LINK_ENCODING_ZSTD, &payload).ok());
  ExpectSaid(DecodeContent(info, LINK_ENCODING_ZSTD, payload.data(), payload.size(), to.data()),
             Code::kUnknown, "200 bytes instead of 400");
}

}  // namespace
}  // namespace efl
