// How a peer stands, as its listeners and its figures say it.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "support/pair.h"
#include "support/state_log.h"

namespace efl::test {
namespace {

using S = PeerState;

TEST(PeerStateTest, ShouldTellAListenerEachStateInOrder) {
  Pair pair;
  pair.leader.options.keepalive_interval_ms = pair.follower.options.keepalive_interval_ms = 0;
  pair.Open();
  StateLog log(pair.leader.peer);
  pair.ConnectPeers();
  EXPECT_EQ(pair.leader.peer->standing().state, S::kReady);
  pair.leader.node->Close();
  EXPECT_EQ(log.states(), (std::vector<S>{S::kIdle, S::kConnecting, S::kReady, S::kClosed}));
}

TEST(PeerStateTest, ShouldSayWhyThePeerIsNotConnectedAnyMore) {
  Pair pair;
  pair.Connect();
  StateLog log(pair.leader.peer);
  pair.follower.node->Close();
  ExpectSaid(log.Await(S::kIdle).cause, Code::kUnavailable, "the peer has left");
}

TEST(PeerStateTest, ShouldSayWhyConnectHasFailed) {
  Party party(Role::kFollower);
  ASSERT_EQ(party.Open().Text(), "OK");
  ASSERT_EQ(party.Meet(FreePort()).Text(), "OK");
  StateLog log(party.peer);
  Ending connecting;
  party.peer->Connect(connecting.call(0, 300));
  log.Await(S::kConnecting);
  EXPECT_EQ(log.Await(S::kIdle).cause.code(), Code::kDeadlineExceeded);
  EXPECT_EQ(connecting.status().code(), Code::kDeadlineExceeded);
}

TEST(PeerStateTest, ShouldReconnectAfterTheNetworkBroke) {
  Pair pair;
  pair.ConnectThroughProxies();
  StateLog log(pair.follower.peer);
  log.Await(S::kReady);
  const int64_t before = pair.follower.peer->stats().reconnects;
  pair.to_leader->Break();
  log.Await(S::kReconnecting);
  log.Await(S::kReady);
  EXPECT_GE(pair.follower.peer->stats().reconnects, before + 1);
  Exchange(&pair);
}

TEST(PeerStateTest, ShouldTellNothingAfterCloseAndLetAListenerClose) {
  Pair pair;
  pair.Open();
  std::atomic<bool> closed{false};
  std::atomic<int> late{0};
  Node* const node = pair.follower.node.get();
  pair.leader.peer->AddListener([&](const PeerStanding& standing) {
    if (closed) ++late;
    if (standing.state == S::kReady) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  StateLog log(pair.follower.peer);
  pair.follower.peer->AddListener([&](const PeerStanding& standing) {
    if (standing.state == S::kReady) node->Close();
  });
  Ending of_leader, of_follower;
  pair.leader.peer->Connect(of_leader.call());
  pair.follower.peer->Connect(of_follower.call());
  log.Await(S::kClosed);
  of_leader.Wait();
  of_follower.Wait();
  Within(std::chrono::seconds(10), [&] { pair.leader.node->Close(); });
  closed = true;
  pair.leader.peer->Refresh();
  EXPECT_EQ(late, 0);
}

TEST(PeerStateTest, ShouldNotCallAListenerThatWasRemoved) {
  PeerStates states;
  std::atomic<bool> stop{false};
  std::thread changing([&] {
    for (int i = 0; !stop; ++i) {
      states.Set(i % 2 == 0 ? S::kReconnecting : S::kReady, {});
      states.Tell();
    }
  });
  for (int i = 0; i < 300; ++i) {
    auto there = std::make_unique<std::atomic<int>>(0);
    const uint64_t id = states.Add([raw = there.get()](const PeerStanding&) { ++*raw; });
    states.Remove(id);
    there = nullptr;  // a call would meet freed memory
  }
  stop = true;
  changing.join();
}

TEST(PeerStateTest, ShouldKeepTheLatestForAListenerThatDoesNotReturn) {
  PeerStates states;
  std::atomic<int> heard{0};
  S last = S::kIdle;
  states.Add([&](const PeerStanding& standing) {
    ++heard;
    last = standing.state;
    // On this thread: Tell doesn't begin again.
    for (int i = 0; heard == 1 && i < 5000; ++i) {
      states.Set(i % 2 == 0 ? S::kReconnecting : S::kReady, {});
      // That is news too.
      if (i == 3000) states.Remove(states.Add([](const PeerStanding&) {}));
    }
  });
  states.Tell();
  EXPECT_EQ(heard, 1 + 1024);
  EXPECT_EQ(last, S::kReady);
}

TEST(PeerStateTest, ShouldCountWhatWasSentAndReceived) {
  Pair pair;
  pair.leader.options.keepalive_interval_ms = pair.follower.options.keepalive_interval_ms = 0;
  pair.Connect();
  for (int i = 0; i < 3; ++i) Exchange(&pair);
  const PeerStats sent = pair.follower.peer->stats();
  const PeerStats received = pair.leader.peer->stats();
  EXPECT_EQ(sent.tensors_sent, 3);
  EXPECT_EQ(sent.bytes_sent, 36);
  EXPECT_EQ(received.tensors_received, 3);
  EXPECT_EQ(received.bytes_received, 36);
  EXPECT_EQ(sent.retransmitted_bytes, 0);
  EXPECT_EQ(received.checksum_failures, 0);
  const bool link = pair.follower.options.wire == WireChoice::kLink;
  EXPECT_STREQ(pair.leader.peer->wire(), link ? "link" : "trainer");
  const std::vector<float> values{1, 2};
  Ending parked;
  pair.follower.peer->SendTensor(Floats("x", 9, values), parked.call());
  AwaitParked(*pair.leader.peer, 1);
  EXPECT_GT(pair.leader.peer->stats().parked_bytes, 8);
  EXPECT_EQ(pair.follower.peer->stats().pending, 1);
  pair.leader.node->Close();
  EXPECT_EQ(parked.status().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace efl::test
