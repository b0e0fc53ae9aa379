// Two parties over the streaming wire: what it does beyond the contract that both wires share.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/pair.h"

namespace efl::test {
namespace {

class LinkTest : public testing::Test {
 protected:
  LinkTest() {
    for (Party* party : {&pair.leader, &pair.follower}) {
      party->options.wire = WireChoice::kLink;
      party->options.send_completion = SendCompletion::kAccepted;
    }
  }
  Peer& leader() { return *pair.leader.peer; }
  Peer& follower() { return *pair.follower.peer; }
  // Options of both.
  template <typename Set>
  void Both(Set set) {
    set(&pair.leader.options);
    set(&pair.follower.options);
  }

  Pair pair;
};

std::vector<float> Numbers(size_t count, uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random());
  return values;
}

TEST_F(LinkTest, ShouldEndASendWhenThePeerHoldsTheTensor) {
  pair.Connect();
  const std::vector<float> values = Numbers(1'000'000, 1);
  Ending sent;
  follower().SendTensor(Floats("x", 3, values), sent.call());
  EXPECT_EQ(sent.status().Text(), "OK");
  Arrival arrival;
  leader().ReceiveTensor("x", 3, arrival.allocate(), arrival.ending.call());
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(arrival.bytes, BytesOf(values));
}

TEST_F(LinkTest, ShouldEndASendWhenTheTensorIsConsumedIfAsked) {
  pair.follower.options.send_completion = SendCompletion::kConsumed;
  pair.Connect();
  const std::vector<float> values{1};
  Ending sent;
  follower().SendTensor(Floats("x", 3, values), sent.call());
  EXPECT_FALSE(sent.ended_within(std::chrono::milliseconds(100)));
  Arrival arrival;
  leader().ReceiveTensor("x", 3, arrival.allocate(), arrival.ending.call());
  EXPECT_EQ(sent.status().Text(), "OK");
}

TEST_F(LinkTest, ShouldKeepWhatWasAcceptedAfterTheSenderHasLeft) {
  pair.Connect();
  const std::vector<float> values{5};
  Ending sent;
  follower().SendTensor(Floats("x", 0, values), sent.call());
  EXPECT_EQ(sent.status().Text(), "OK");
  pair.follower.node->Close();
  Arrival arrival, more;
  leader().ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(arrival.bytes, BytesOf(values));
  leader().ReceiveTensor("x", 1, more.allocate(), more.ending.call());
  ExpectSaid(more.ending.status(), Code::kUnavailable, "the peer has left");
}

// Sizes around those of chunks, of what is copied and of what is referred to, posted before and
// after.
TEST_F(LinkTest, ShouldCarryTensorsOfAllSizesBothWays) {
  Both([](Options* options) { options->chunk_bytes = 10'000; });
  pair.Connect();
  int64_t step = 0;
  for (const size_t count : {0, 1, 2499, 2500, 2501, 5000, 7499, 100'000}) {
    for (const bool posted_first : {true, false}) {
      for (Peer* from : {&leader(), &follower()}) {
        Peer* const to = from == &leader() ? &follower() : &leader();
        const std::vector<float> values = Numbers(count, static_cast<uint32_t>(count));
        Arrival arrival;
        Ending sent;
        if (posted_first) {
          to->ReceiveTensor("x", step, arrival.allocate(), arrival.ending.call());
        }
        from->SendTensor(Floats("x", step, values), sent.call());
        if (!posted_first) {
          EXPECT_EQ(sent.status().Text(), "OK");
          to->ReceiveTensor("x", step, arrival.allocate(), arrival.ending.call());
        }
        EXPECT_EQ(arrival.ending.status().Text(), "OK");
        EXPECT_EQ(sent.status().Text(), "OK");
        EXPECT_EQ(arrival.bytes, BytesOf(values)) << count;
        ++step;
      }
    }
  }
}

// Many short frames, as one of long chunks: gRPC would end the connection, each time anew.
TEST_F(LinkTest, ShouldSayNoMoreAtOnceThanTheOtherEndTakes) {
  Both([](Options* options) {
    options->server_max_receive_message_size = options->client_max_receive_message_size = 16 << 10;
    options->keepalive_interval_ms = 0;  // a slow machine would be one more reason to reconnect
  });
  pair.Connect();
  constexpr int64_t kCount = 3000;
  const std::vector<float> values{1};
  std::vector<Ending> sent(kCount);
  std::vector<Arrival> arrivals(kCount);
  for (int64_t i = 0; i < kCount; ++i) {
    follower().SendTensor(Floats("x", i, values), sent[i].call());
  }
  for (int64_t i = 0; i < kCount; ++i) {
    leader().ReceiveTensor("x", i, arrivals[i].allocate(), arrivals[i].ending.call());
  }
  for (Arrival& arrival : arrivals) EXPECT_EQ(arrival.ending.status().Text(), "OK");
  for (Ending& one : sent) EXPECT_EQ(one.status().Text(), "OK");
  EXPECT_EQ(leader().stats().reconnects, 0);
}

TEST_F(LinkTest, ShouldNotLetALongTensorHoldUpAShortOne) {
  pair.Connect();
  ASSERT_TRUE(leader().RegisterTensor("long", kFloat, std::nullopt).ok());
  const std::vector<float> longer(64 << 20), shorter{1};
  Arrival long_arrival, short_arrival;
  Ending long_sent, short_sent;
  std::atomic<bool> short_first{false};
  Peer::Call call = short_arrival.ending.call();
  call.done = [&, done = std::move(call.done)](const Status& status, const Outcome& outcome) {
    short_first = !long_sent.ended_within(std::chrono::milliseconds(0));
    done(status, outcome);
  };
  leader().ReceiveTensor("long", 0, long_arrival.allocate(), long_arrival.ending.call());
  leader().ReceiveTensor("x", 0, short_arrival.allocate(), std::move(call));
  follower().SendTensor(Floats("long", 0, longer), long_sent.call());
  follower().SendTensor(Floats("x", 0, shorter), short_sent.call());
  EXPECT_EQ(short_arrival.ending.status().Text(), "OK");
  EXPECT_EQ(long_arrival.ending.status().Text(), "OK");
  EXPECT_TRUE(short_first);
}

TEST_F(LinkTest, ShouldKeepTheTensorsOfANameInOrder) {
  Both([](Options* options) {
    options->chunk_bytes = 4096;
    options->window_bytes = 1 << 20;
  });
  pair.Connect();
  constexpr int kCount = 300;
  std::vector<std::vector<float>> values;
  std::vector<Ending> sent(kCount);
  for (int i = 0; i < kCount; ++i) {
    values.push_back(Numbers(static_cast<size_t>(i * 37 % 5000), static_cast<uint32_t>(i)));
    follower().SendTensor(Floats("x", 0, values.back()), sent[i].call());
  }
  for (int i = 0; i < kCount; ++i) {
    Arrival arrival;
    leader().ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
    ASSERT_EQ(arrival.ending.status().Text(), "OK") << i;
    ASSERT_EQ(arrival.bytes, BytesOf(values[i])) << i;
  }
}

// A sender that is faster than what asks for its tensors waits, and loses nothing.
TEST_F(LinkTest, ShouldHoldBackWhatTheMailboxHasNoRoomFor) {
  pair.leader.options.mailbox_bytes = 300'000;
  pair.Connect();
  constexpr int kCount = 10;
  std::vector<std::vector<float>> values;
  std::vector<Ending> sent(kCount);
  for (int i = 0; i < kCount; ++i) {
    values.push_back(Numbers(25'000, static_cast<uint32_t>(i)));
    follower().SendTensor(Floats("x", i, values.back()), sent[i].call());
  }
  EXPECT_EQ(sent[1].status().Text(), "OK");
  EXPECT_FALSE(sent[5].ended_within(std::chrono::milliseconds(100)));
  for (int i = 0; i < kCount; ++i) {
    Arrival arrival;
    leader().ReceiveTensor("x", i, arrival.allocate(), arrival.ending.call());
    ASSERT_EQ(arrival.ending.status().Text(), "OK") << i;
    EXPECT_EQ(arrival.bytes, BytesOf(values[i]));
    EXPECT_EQ(sent[i].status().Text(), "OK");
  }
}

// Whatever is left of the mailbox, what is held back finds a place to be remembered in.
TEST_F(LinkTest, ShouldHoldBackWhateverTheSizesThatHaveFilledTheMailbox) {
  pair.leader.options.mailbox_bytes = 100'000;
  pair.Connect();
  constexpr int kCount = 14;
  for (int64_t step = 0, first = 1'500; first < 2'700; first += 100, step += kCount) {
    const std::vector<float> values = Numbers(static_cast<size_t>(first), 1);
    const std::vector<float> more = Numbers(2'000, 2);
    std::vector<Ending> sent(kCount);
    for (int i = 0; i < kCount; ++i) {
      follower().SendTensor(Floats("x", step + i, i == 0 ? values : more), sent[i].call());
    }
    EXPECT_EQ(sent[0].status().Text(), "OK");
    for (int i = 0; i < kCount; ++i) {
      Arrival arrival;
      leader().ReceiveTensor("x", step + i, arrival.allocate(), arrival.ending.call());
      ASSERT_EQ(arrival.ending.status().Text(), "OK") << first << ", " << i;
      EXPECT_EQ(arrival.bytes, BytesOf(i == 0 ? values : more));
      EXPECT_EQ(sent[i].status().Text(), "OK") << first << ", " << i;
    }
  }
}

TEST_F(LinkTest, ShouldCarryATensorThatIsLargerThanTheMailbox) {
  pair.leader.options.mailbox_bytes = 1 << 20;
  pair.Connect();
  const std::vector<float> values = Numbers(2'000'000, 9);
  Ending sent;
  follower().SendTensor(Floats("x", 0, values), sent.call());
  EXPECT_FALSE(sent.ended_within(std::chrono::milliseconds(50)));
  Arrival arrival;
  leader().ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(arrival.bytes, BytesOf(values));
}

// What ends while it lands writes nothing more, and the sender learns why.
TEST_F(LinkTest, ShouldEndAReceiveInTheMiddleOfItsTensor) {
  pair.Connect();
  ASSERT_TRUE(leader().RegisterTensor("long", kFloat, std::nullopt).ok());
  const std::vector<float> values(64 << 20);
  Ending sent;
  auto arrival = std::make_unique<Arrival>();
  std::atomic<bool> begun{false};
  const auto allocate = arrival->allocate();
  leader().ReceiveTensor(
      "long", 0,
      [&](const TensorInfo& info) {
        void* to = allocate(info);
        begun = true;
        return to;
      },
      arrival->ending.call(7));
  follower().SendTensor(Floats("long", 0, values), sent.call());
  EXPECT_TRUE(Eventually([&] { return begun.load(); }));
  leader().FailGroup(7, "enough");
  const Status status = arrival->ending.status();
  arrival = nullptr;  // ASan would see a write
  if (!status.ok()) {
    ExpectSaid(status, Code::kAborted, "enough");
    ExpectSaid(sent.status(), Code::kAborted, "enough");
  }
  Exchange(&pair);
}

TEST_F(LinkTest, ShouldEndTheReceiveOfASendThatIsGivenUpOnTheWay) {
  pair.Connect();
  ASSERT_TRUE(leader().RegisterTensor("long", kFloat, std::nullopt).ok());
  const std::vector<float> values(64 << 20);
  Arrival arrival;
  Ending sent;
  leader().ReceiveTensor("long", 0, arrival.allocate(), arrival.ending.call());
  follower().SendTensor(Floats("long", 0, values), sent.call(5));
  follower().FailGroup(5, "no more");
  const Status status = sent.status();
  if (!status.ok()) {
    ExpectSaid(arrival.ending.status(), Code::kAborted, "the peer could not send it: ");
  }
  Exchange(&pair);
}

TEST_F(LinkTest, ShouldCarryStringsAndRefuseThoseThatAreNone) {
  pair.Connect();
  ASSERT_TRUE(leader().RegisterTensor("s", kString, std::nullopt).ok());
  const std::string content("\2\0\3abxyz", 8);
  OutgoingTensor tensor;
  tensor.info = {"s", 0, kString, {3}, content.size()};
  tensor.payload = {content.data(), content.size(), nullptr, nullptr};
  Arrival arrival;
  Ending sent;
  leader().ReceiveTensor("s", 0, arrival.allocate(), arrival.ending.call());
  follower().SendTensor(std::move(tensor), sent.call());
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(arrival.bytes, content);
}

TEST_F(LinkTest, ShouldEncodeWhatTheRulesSay) {
  pair.follower.options.encodings = [] {
    EncodingRules rules;
    EXPECT_TRUE(EncodingRules::Parse("x=zstd,y=bfloat16", &rules).ok());
    return rules;
  }();
  pair.Connect();
  ASSERT_TRUE(leader().RegisterTensor("y", kFloat, std::nullopt).ok());
  std::vector<float> values(700'000, 1.5F);
  for (const bool posted_first : {true, false}) {
    for (const char* name : {"x", "y"}) {
      Arrival arrival;
      Ending sent;
      const int64_t step = posted_first ? 0 : 1;
      if (posted_first)
        leader().ReceiveTensor(name, step, arrival.allocate(), arrival.ending.call());
      follower().SendTensor(Floats(name, step, values), sent.call());
      EXPECT_EQ(sent.status().Text(), "OK");
      if (!posted_first) {
        leader().ReceiveTensor(name, step, arrival.allocate(), arrival.ending.call());
      }
      EXPECT_EQ(arrival.ending.status().Text(), "OK");
      EXPECT_EQ(arrival.bytes, BytesOf(values)) << name;  // 1.5 is the same in both
    }
  }
}

TEST_F(LinkTest, ShouldSpreadATensorOverSeveralConnections) {
  Both([](Options* options) {
    options->connections = 3;
    options->chunk_bytes = 64 << 10;
  });
  pair.Connect();
  for (int64_t step = 0; step < 5; ++step) {
    const std::vector<float> values = Numbers(5'000'000, static_cast<uint32_t>(step));
    Arrival arrival;
    Ending sent;
    leader().ReceiveTensor("x", step, arrival.allocate(), arrival.ending.call());
    follower().SendTensor(Floats("x", step, values), sent.call());
    EXPECT_EQ(arrival.ending.status().Text(), "OK");
    EXPECT_EQ(sent.status().Text(), "OK");
    EXPECT_EQ(arrival.bytes, BytesOf(values));
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(LinkTest, ShouldCarryATensorOfMoreThanFourGiB) {
  pair.Connect();
  ASSERT_TRUE(leader().RegisterTensor("huge", kUint8, std::nullopt).ok());
  constexpr size_t kSize = (size_t{4} << 30) + 12'345;
  const auto map = [] {
    void* const at = mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    EXPECT_NE(at, MAP_FAILED);
    return static_cast<char*>(at);
  };
  char* const from = map();
  char* const to = map();
  for (size_t at = 0; at < kSize; at += 1 << 20) {
    std::memcpy(from + at, &at, std::min(sizeof(at), kSize - at));
  }
  OutgoingTensor tensor;
  tensor.info = {"huge", 0, kUint8, {static_cast<int64_t>(kSize)}, kSize};
  tensor.payload = {from, kSize, nullptr, nullptr};
  Ending sent, arrived;
  leader().ReceiveTensor(
      "huge", 0, [to](const TensorInfo&) { return to; }, arrived.call());
  follower().SendTensor(std::move(tensor), sent.call());
  EXPECT_EQ(arrived.status().Text(), "OK");
  EXPECT_EQ(sent.status().Text(), "OK");
  EXPECT_EQ(std::memcmp(from, to, kSize), 0);
  munmap(from, kSize);
  munmap(to, kSize);
}
#endif

}  // namespace
}  // namespace efl::test
