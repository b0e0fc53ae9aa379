// A peer from which nothing comes any more, though nobody has hung up.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "support/child.h"
#include "support/pair.h"
#include "support/state_log.h"

namespace efl::test {
namespace {

using S = PeerState;
using Fault = faults::Fault::Kind;
using Clock = std::chrono::steady_clock;

void NoticeSoon(Options* options) {
  options->keepalive_interval_ms = 400;
  options->keepalive_timeout_ms = 800;
  options->reconnect_timeout_ms = 20'000;
}

class KeepaliveTest : public testing::Test {
 protected:
  KeepaliveTest() {
    NoticeSoon(&pair.leader.options);
    NoticeSoon(&pair.follower.options);
  }
  void Suffer(Fault fault) {
    pair.to_leader->Suffer(fault);
    pair.to_follower->Suffer(fault);
  }
  void Heal() {
    pair.to_leader->Heal();
    pair.to_follower->Heal();
  }
  bool link() const { return pair.leader.options.wire == WireChoice::kLink; }

  Pair pair;
};

TEST_F(KeepaliveTest, ShouldNoticeAConnectionThatNothingComesThroughAndGoOn) {
  pair.ConnectThroughProxies();
  Exchange(&pair);
  StateLog of_leader(pair.leader.peer), of_follower(pair.follower.peer);
  Arrival arrival;
  pair.leader.peer->ReceiveTensor("x", 4, arrival.allocate(), arrival.ending.call());
  Ending asked, answered, sent;
  pair.follower.peer->ReceiveReaderState("train", asked.call());
  Suffer(Fault::kSwallow);
  EXPECT_NE(of_leader.Await(S::kReconnecting).cause.message().find("nothing was heard"),
            std::string::npos);
  EXPECT_NE(of_follower.Await(S::kReconnecting).cause.message().find("nothing was heard"),
            std::string::npos);
  Heal();
  of_leader.Await(S::kReady);
  of_follower.Await(S::kReady);
  if (link()) {
    pair.leader.peer->SendReaderState("train", "block", 7, answered.call());
    EXPECT_EQ(asked.status().Text(), "OK");
    EXPECT_EQ(answered.status().Text(), "OK");
  } else {
    ExpectSaid(asked.status(), Code::kUnavailable, "nothing was heard from the peer");
  }
  const std::vector<float> values{1};
  pair.follower.peer->SendTensor(Floats("x", 4, values), sent.call());
  EXPECT_EQ(sent.status().Text(), "OK");
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  Exchange(&pair);
}

TEST_F(KeepaliveTest, ShouldFailWhatWaitsForAPeerThatDoesNotReturnAndSayWhy) {
  pair.leader.options.reconnect_timeout_ms = 600;
  pair.follower.options.reconnect_timeout_ms = 600;
  pair.ConnectThroughProxies();
  Arrival at_leader, at_follower;
  pair.leader.peer->ReceiveTensor("x", 0, at_leader.allocate(), at_leader.ending.call());
  pair.follower.peer->ReceiveTensor("x", 0, at_follower.allocate(), at_follower.ending.call());
  Suffer(Fault::kSwallow);
  ExpectSaid(at_leader.ending.status(), Code::kUnavailable, "nothing was heard from the peer");
  ExpectSaid(at_follower.ending.status(), Code::kUnavailable, "nothing was heard from the peer");
}

TEST_F(KeepaliveTest, ShouldNotBreakAConnectionThatIsIdleAndKnowItsRoundTrip) {
  for (Party* party : {&pair.leader, &pair.follower}) {
    party->options.keepalive_timeout_ms = Options().keepalive_timeout_ms;  // a machine may be slow
  }
  pair.ConnectThroughProxies();
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));  // several intervals
  for (Party* party : {&pair.leader, &pair.follower}) {
    const PeerStats stats = party->peer->stats();
    EXPECT_EQ(stats.reconnects, 0);
    EXPECT_EQ(stats.standing.state, S::kReady);
    EXPECT_GE(stats.round_trip_us, 0);
  }
  Exchange(&pair);
}

// Another process that is a follower: sends "x" at steps 0, 1, 2, … when it gets "x" of that step.
void Follow(int port) {
  Party follower(Role::kFollower);
  NoticeSoon(&follower.options);
  follower.options.listen_address = "";
  follower.options.wire = WireChoice::kLink;
  ASSERT_EQ(follower.Open().Text(), "OK");
  ASSERT_EQ(follower.Meet(port).Text(), "OK");
  ASSERT_TRUE(follower.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
  Ending connected;
  follower.peer->Connect(connected.call());
  ASSERT_EQ(connected.status().Text(), "OK");
  for (int step = 0;; ++step) {
    Arrival arrival;
    follower.peer->ReceiveTensor("x", step, arrival.allocate(), arrival.ending.call());
    if (!arrival.ending.status().ok()) break;
    std::vector<float> values(arrival.bytes.size() / sizeof(float), 2.0f);
    Ending sent;
    follower.peer->SendTensor(Floats("x", step, values), sent.call());
    if (!sent.status().ok()) break;
  }
}

const ChildProgram kFollower("follower", &Follow);

class FrozenPeerTest : public testing::Test {
 protected:
  void Meet(int64_t reconnect_timeout_ms) {
    NoticeSoon(&leader.options);
    leader.options.reconnect_timeout_ms = reconnect_timeout_ms;
    leader.options.wire = WireChoice::kLink;
    ASSERT_EQ(leader.Open().Text(), "OK");
    ASSERT_EQ(leader.Await().Text(), "OK");
    ASSERT_TRUE(leader.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
    Ending connected;
    leader.peer->Connect(connected.call());
    child = std::make_unique<Child>("follower", leader.node->port());
    ASSERT_EQ(connected.status().Text(), "OK");
    log = std::make_unique<StateLog>(leader.peer);
  }
  // The size decides whether a write gets stuck.
  void Send(const std::vector<float>& values, int64_t step, Ending* sent) {
    leader.peer->SendTensor(Floats("x", step, values), sent->call());
  }

  // That the frozen child is silent. One that had itself given up the connection before, as on a
  // machine that is busy, has to be back first.
  void AwaitNotice() {
    for (int attempt = 0; attempt < 5; ++attempt) {
      const Status cause = log->Await(S::kReconnecting).cause;
      if (cause.message().find("nothing was heard") != std::string::npos) return;
      child->Thaw();
      log->Await(S::kReady);
      child->Freeze();
    }
    ADD_FAILURE() << "a frozen peer was not noticed";
  }

  Party leader{Role::kLeader};
  std::unique_ptr<Child> child;
  std::unique_ptr<StateLog> log;
};

TEST_F(FrozenPeerTest, ShouldNoticeAFrozenProcessAndGoOnWhenItReturns) {
  Meet(30'000);
  const std::vector<float> values(16 << 20, 1.0f);
  for (int step = 0; step < 2; ++step) {
    Arrival arrival;
    Ending sent;
    leader.peer->ReceiveTensor("x", step, arrival.allocate(), arrival.ending.call());
    child->Freeze();
    Send(values, step, &sent);
    AwaitNotice();
    child->Thaw();
    log->Await(S::kReady);
    EXPECT_EQ(sent.status().Text(), "OK");
    EXPECT_EQ(arrival.ending.status().Text(), "OK");
    EXPECT_EQ(arrival.bytes, BytesOf(std::vector<float>(values.size(), 2.0f)));
  }
  EXPECT_GE(leader.peer->stats().reconnects, 2);
}

TEST_F(FrozenPeerTest, ShouldGiveUpAProcessThatStaysFrozen) {
  Meet(500);
  Arrival arrival;
  Ending sent;
  const std::vector<float> values(16 << 20, 1.0f);
  leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  child->Freeze();
  Send(values, 0, &sent);
  ExpectSaid(sent.status(), Code::kUnavailable, "nothing was heard from the peer");
  ExpectSaid(arrival.ending.status(), Code::kUnavailable, "nothing was heard from the peer");
  EXPECT_EQ(log->Await(S::kIdle).cause.code(), Code::kUnavailable);
}

// A chunk takes longer there than a party that knows nothing of the line waits for a word.
TEST(SlowLineTest, ShouldLearnToWaitAndComeThrough) {
  Pair pair;
  for (Party* party : {&pair.leader, &pair.follower}) {
    party->options.wire = WireChoice::kLink;
    party->options.chunk_bytes = 1 << 20;
    party->options.connections = 1;
  }
  ASSERT_EQ(pair.leader.Open().Text(), "OK");
  ASSERT_EQ(pair.follower.Open().Text(), "OK");
  faults::FaultProxy::Options way;
  way.target_port = pair.leader.node->port();
  way.line.delay_ns = 100'000'000;
  way.line.bytes_per_s = 600'000;
  way.line.capacity = 256 << 10;
  faults::FaultProxy proxy(way);
  proxy.Start();
  ASSERT_EQ(pair.leader.Await().Text(), "OK");
  ASSERT_EQ(pair.follower.Meet(proxy.port()).Text(), "OK");
  pair.Register();
  pair.ConnectPeers();
  const std::vector<float> values((3 << 20) / sizeof(float), 3.0f);
  Arrival arrival;
  Ending sent;
  pair.leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  pair.follower.peer->SendTensor(Floats("x", 0, values), sent.call());
  EXPECT_EQ(sent.status().Text(), "OK");
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(arrival.bytes, BytesOf(values));
  EXPECT_LE(pair.leader.peer->stats().reconnects, 4);
  RecordProperty("reconnects", static_cast<int>(pair.leader.peer->stats().reconnects));
}

// What an interruption costs beyond its own length, with the timeouts that users have by default.
// The figures are printed; what is asserted is that no more than a window is sent twice.
TEST(InterruptionTest, ShouldCostLittleAndSendNoMoreThanAWindowTwice) {
  const char* said = std::getenv("EFL_TEST_INTERRUPTION_MS");
  const int length_ms = said != nullptr ? std::atoi(said) : 1500;
  const struct {
    Fault fault;
    const char* name;
  } kinds[] = {{Fault::kReset, "reset"}, {Fault::kFin, "closed"}, {Fault::kSwallow, "dropped"}};
  for (const auto& kind : kinds) {
    Pair pair;
    for (Party* party : {&pair.leader, &pair.follower}) {
      party->options.wire = WireChoice::kLink;
      party->options.window_bytes = 8 << 20;
    }
    ASSERT_NO_FATAL_FAILURE(pair.ConnectThroughProxies());
    const std::vector<float> values(16 << 20, 3.0f);
    int64_t step = 0;
    const auto exchange = [&] {
      Arrival arrival;
      Ending sent;
      pair.leader.peer->ReceiveTensor("x", step, arrival.allocate(), arrival.ending.call());
      pair.follower.peer->SendTensor(Floats("x", step++, values), sent.call());
      EXPECT_EQ(sent.status().Text(), "OK");
      EXPECT_EQ(arrival.ending.status().Text(), "OK");
      EXPECT_EQ(arrival.bytes, BytesOf(values));
    };
    exchange();
    const auto began = Clock::now();
    exchange();
    const auto undisturbed = Clock::now() - began;
    const int64_t before = pair.follower.peer->stats().retransmitted_bytes;
    StateLog log(pair.follower.peer);
    Arrival arrival;
    Ending sent;
    pair.leader.peer->ReceiveTensor("x", step, arrival.allocate(), arrival.ending.call());
    const auto started = Clock::now();
    pair.follower.peer->SendTensor(Floats("x", step, values), sent.call());
    std::this_thread::sleep_for(undisturbed / 4);
    const auto cut = Clock::now();
    pair.to_leader->Suffer(kind.fault);
    pair.to_follower->Suffer(kind.fault);
    std::this_thread::sleep_for(std::chrono::milliseconds(length_ms));
    pair.to_leader->Heal();
    pair.to_follower->Heal();
    const auto healed = Clock::now();
    log.Await(S::kReconnecting);
    log.Await(S::kReady);
    const auto ready = Clock::now();
    EXPECT_EQ(sent.status().Text(), "OK");
    EXPECT_EQ(arrival.ending.status().Text(), "OK");
    EXPECT_EQ(arrival.bytes, BytesOf(values));
    const auto all = Clock::now() - started;
    const int64_t again = pair.follower.peer->stats().retransmitted_bytes - before;
    EXPECT_LE(again, pair.follower.options.window_bytes);
    const auto ms = [](Clock::duration time) {
      return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
    };
    std::printf(
        "interruption (%s) of %ld ms: connected again %ld ms after its end, %ld ms lost beyond it, "
        "%.1f MiB sent twice\n",
        kind.name, ms(healed - cut), ms(ready - healed), ms(all - undisturbed - (healed - cut)),
        static_cast<double>(again) / (1 << 20));
  }
}

}  // namespace
}  // namespace efl::test
