// What two connected parties exchange.
#include "support/pair.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace efl::test {
namespace {

class PairTest : public testing::Test {
 protected:
  void SetUp() override {
    pair.Connect();
    ASSERT_NE(pair.follower.peer, nullptr);
  }

  Pair pair;
  Peer& leader() { return *pair.leader.peer; }
  Peer& follower() { return *pair.follower.peer; }
};

TEST_F(PairTest, ShouldDeliverToAReceiveThatWaits) {
  const std::vector<float> values{1, 2, 3};
  Arrival arrival;
  Ending sent;
  leader().ReceiveTensor("x", 7, arrival.allocate(), arrival.ending.call());
  follower().SendTensor(Floats("x", 7, values), sent.call());
  EXPECT_EQ(sent.status().Text(), "OK");
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(arrival.bytes, BytesOf(values));
  EXPECT_EQ(arrival.info.dims, std::vector<int64_t>{3});
  EXPECT_EQ(arrival.info.step, 7);
}

TEST_F(PairTest, ShouldKeepATensorUntilItIsReceived) {
  const std::vector<float> values{4, 5};
  Arrival arrival;
  Ending sent;
  follower().SendTensor(Floats("x", 0, values), sent.call());
  EXPECT_FALSE(sent.ended_within(std::chrono::milliseconds(50))) << "it was not consumed yet";
  leader().ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  EXPECT_EQ(sent.status().Text(), "OK");
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(arrival.bytes, BytesOf(values));
}

TEST_F(PairTest, ShouldKeepTheOrderOfOneNameAndStep) {
  constexpr int kCount = 50;
  std::vector<std::vector<float>> values;
  std::vector<Ending> sent(kCount);
  std::vector<Arrival> arrivals(kCount);
  for (int i = 0; i < kCount; ++i) values.push_back({static_cast<float>(i)});
  for (int i = 0; i < kCount; ++i) {
    follower().SendTensor(Floats("x", 3, values[i]), sent[i].call());
  }
  for (int i = 0; i < kCount; ++i) {
    leader().ReceiveTensor("x", 3, arrivals[i].allocate(), arrivals[i].ending.call());
    EXPECT_EQ(arrivals[i].ending.status().Text(), "OK");
    EXPECT_EQ(arrivals[i].bytes, BytesOf(values[i]));
  }
}

TEST_F(PairTest, ShouldCarryTheSameNameBothWaysAtOnce) {
  const std::vector<float> up{1}, down{2};
  Arrival at_leader, at_follower;
  Ending by_leader, by_follower;
  leader().SendTensor(Floats("x", 0, down), by_leader.call());
  follower().SendTensor(Floats("x", 0, up), by_follower.call());
  leader().ReceiveTensor("x", 0, at_leader.allocate(), at_leader.ending.call());
  follower().ReceiveTensor("x", 0, at_follower.allocate(), at_follower.ending.call());
  EXPECT_EQ(at_leader.ending.status().Text(), "OK");
  EXPECT_EQ(at_follower.ending.status().Text(), "OK");
  EXPECT_EQ(at_leader.bytes, BytesOf(up));
  EXPECT_EQ(at_follower.bytes, BytesOf(down));
}

TEST_F(PairTest, ShouldCarryScalarsAndEmptyTensors) {
  ASSERT_TRUE(leader().RegisterTensor("scalar", kInt64, std::vector<int64_t>{}).ok());
  ASSERT_TRUE(leader().RegisterTensor("empty", kDouble, std::vector<int64_t>{-1, 5}).ok());
  const int64_t value = 42;
  Ending sent_scalar, sent_empty;
  Arrival scalar, empty;
  follower().SendTensor({{"scalar", 0, kInt64, {}, sizeof(value)}, {&value, sizeof(value), {}, {}}},
                        sent_scalar.call());
  follower().SendTensor({{"empty", 0, kDouble, {0, 5}, 0}, {}}, sent_empty.call());
  leader().ReceiveTensor("scalar", 0, scalar.allocate(), scalar.ending.call());
  leader().ReceiveTensor("empty", 0, empty.allocate(), empty.ending.call());
  EXPECT_EQ(scalar.ending.status().Text(), "OK");
  EXPECT_EQ(empty.ending.status().Text(), "OK");
  EXPECT_TRUE(scalar.info.dims.empty());
  EXPECT_EQ(scalar.bytes, std::string(reinterpret_cast<const char*>(&value), sizeof(value)));
  EXPECT_EQ(empty.info.dims, (std::vector<int64_t>{0, 5}));
}

TEST_F(PairTest, ShouldCarryLargeTensorsAndReleaseThemOnce) {
  const std::vector<float> values(5 << 20, 0.5F);
  static std::atomic<int> released;
  released = 0;
  OutgoingTensor tensor = Floats("x", 0, values);
  tensor.payload = {values.data(), tensor.info.size, [](void*) { ++released; }, nullptr};
  Arrival arrival;
  {
    Ending sent;
    leader().ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
    follower().SendTensor(std::move(tensor), sent.call());
    EXPECT_EQ(sent.status().Text(), "OK");
  }
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_TRUE(arrival.bytes == BytesOf(values));  // too large to be printed
  pair.follower.node->Close();
  EXPECT_EQ(released, 1);
}

TEST_F(PairTest, ShouldHaveManyNamesInFlight) {
  constexpr int kNames = 500;
  std::vector<std::vector<float>> values;
  std::vector<Ending> sent(kNames);
  std::vector<Arrival> arrivals(kNames);
  for (int i = 0; i < kNames; ++i) {
    values.push_back({static_cast<float>(i)});
    ASSERT_TRUE(leader().RegisterTensor(absl::StrCat("name", i), kFloat, std::nullopt).ok());
  }
  for (int i = 0; i < kNames; ++i) {
    leader().ReceiveTensor(absl::StrCat("name", i), 0, arrivals[i].allocate(),
                           arrivals[i].ending.call());
  }
  for (int i = kNames - 1; i >= 0; --i) {
    follower().SendTensor(Floats(absl::StrCat("name", i), 0, values[i]), sent[i].call());
  }
  for (int i = 0; i < kNames; ++i) {
    EXPECT_EQ(arrivals[i].ending.status().Text(), "OK");
    EXPECT_EQ(arrivals[i].bytes, BytesOf(values[i]));
  }
}

TEST_F(PairTest, ShouldAnswerReaderStateWhicheverSideComesFirst) {
  Ending answered, asked, answered_later, asked_first;
  leader().SendReaderState("train", "data_3.tfrd", 17, answered.call());
  follower().ReceiveReaderState("train", asked.call());
  EXPECT_EQ(answered.status().Text(), "OK");
  EXPECT_EQ(asked.status().Text(), "OK");
  EXPECT_EQ(asked.Wait().outcome.text, "data_3.tfrd");
  EXPECT_EQ(asked.Wait().outcome.index, 17);

  follower().ReceiveReaderState("train", asked_first.call());
  leader().SendReaderState("train", "data_4.tfrd", 0, answered_later.call());
  EXPECT_EQ(answered_later.status().Text(), "OK");
  EXPECT_EQ(asked_first.Wait().outcome.text, "data_4.tfrd");
}

TEST_F(PairTest, ShouldEndTheReaderWithOutOfRange) {
  Ending terminated, asked;
  leader().TerminateReader("train", terminated.call());
  follower().ReceiveReaderState("train", asked.call());
  EXPECT_EQ(terminated.status().Text(), "OK");
  EXPECT_EQ(asked.status().code(), Code::kOutOfRange);
}

TEST_F(PairTest, ShouldAnswerCheckpointVersions) {
  Ending sent, received, sent_none, received_none;
  leader().SendCheckpointVersion("1200", sent.call());
  follower().ReceiveCheckpointVersion(received.call());
  EXPECT_EQ(received.status().Text(), "OK");
  EXPECT_EQ(received.Wait().outcome.text, "1200");
  leader().SendCheckpointVersion("", sent_none.call());
  follower().ReceiveCheckpointVersion(received_none.call());
  EXPECT_EQ(received_none.status().Text(), "OK");
  EXPECT_EQ(received_none.Wait().outcome.text, "");
}

TEST_F(PairTest, ShouldCountSteps) {
  EXPECT_EQ(leader().step(), 0);
  EXPECT_EQ(leader().AddStep(), 1);
  EXPECT_EQ(leader().AddStep(), 2);
  leader().ResetStep();
  EXPECT_EQ(leader().step(), 0);
}

TEST_F(PairTest, ShouldFailTheOthersOfAGroup) {
  Arrival alone;
  Ending grouped, failing;
  leader().ReceiveTensor("x", 0, alone.allocate(), alone.ending.call());
  leader().SendReaderState("train", "b", 0, grouped.call(9));
  leader().SendTensor({{"unknown", 0, kFloat, {}, 4}, {"abcd", 4, {}, {}}}, failing.call(9));
  EXPECT_EQ(failing.status().code(), Code::kNotFound);
  EXPECT_EQ(grouped.status().code(), Code::kAborted);
  EXPECT_NE(grouped.status().message().find("send tensor 'unknown'"), std::string::npos);
  EXPECT_FALSE(alone.ending.ended_within(std::chrono::milliseconds(20)));
  // One that starts late finds its group failed.
  Ending late;
  leader().SendReaderState("train", "b", 0, late.call(9));
  EXPECT_EQ(late.status().code(), Code::kAborted);
  pair.leader.node->Close();
}

}  // namespace
}  // namespace efl::test
