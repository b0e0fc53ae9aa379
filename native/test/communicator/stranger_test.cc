// What others than the peer say, before it is known who the peer is and after.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpc/grpc_status.h"
#include "support/certificates.h"
#include "support/pair.h"
#include "support/raw_caller.h"
#include "support/raw_peer.h"
#include "support/state_log.h"

namespace efl::test {
namespace {

using Fault = faults::Fault::Kind;

// A leader that waits for its follower, and somebody else with a certificate of the same CA.
class EarlyStrangerTest : public testing::TestWithParam<WireChoice> {
 protected:
  void SetUp() override {
    for (const char* name : {"leader", "follower", "mallory"}) certificates.Make(name);
    for (Party* party : {&pair.leader, &pair.follower}) {
      party->options.wire = GetParam();
      party->options.tls = certificates.Tls(party->options.party_id);
    }
    follower_port = FreePort();
    ASSERT_EQ(pair.leader.Open().Text(), "OK");
    // Over the link it only listens, and learns by the first connection who the peer is.
    const bool listens = GetParam() == WireChoice::kLink;
    ASSERT_EQ((listens ? pair.leader.Await() : pair.leader.Meet(follower_port)).Text(), "OK");
    ASSERT_TRUE(pair.leader.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
    pair.leader.peer->Connect(leader_connected.call());
    mallory = std::make_unique<RawCaller>(pair.leader.node->port(),
                                          CredentialsOf(certificates.Tls("mallory")));
  }

  void ConnectFollower() {
    pair.follower.options.listen_address = absl::StrCat("127.0.0.1:", follower_port);
    ASSERT_EQ(pair.follower.Open().Text(), "OK");
    ASSERT_EQ(pair.follower.Meet(pair.leader.node->port()).Text(), "OK");
    Ending connected;
    pair.follower.peer->Connect(connected.call());
    ASSERT_EQ(connected.status().Text(), "OK");
    ASSERT_EQ(leader_connected.status().Text(), "OK");
  }

  Certificates certificates;
  Pair pair;
  Ending leader_connected;
  int follower_port = 0;
  std::unique_ptr<RawCaller> mallory;
};

TEST_P(EarlyStrangerTest, ShouldForgetWhatCameBeforeItWasKnownWhoThePeerIs) {
  const std::vector<float> false_values{6, 6, 6};
  auto asked = mallory->AskCheckpointVersion();
  auto sent = mallory->Send(Floats("x", 0, false_values));
  AwaitParked(*pair.leader.peer, 1);
  ConnectFollower();
  EXPECT_EQ(pair.leader.peer->stats().parked_tensors, 0);
  EXPECT_FALSE(sent.get().ok());
  Exchange(&pair);
  Ending answered, heard;
  pair.leader.peer->SendCheckpointVersion("7", answered.call());
  pair.follower.peer->ReceiveCheckpointVersion(heard.call());
  EXPECT_EQ(answered.status().Text(), "OK");
  EXPECT_EQ(heard.Wait().outcome.text, "7");
  const Status refused = asked.get();
  EXPECT_TRUE(refused.code() == Code::kUnavailable || refused.code() == Code::kUnauthenticated)
      << refused.Text();
}

// Whoever has opened a stream could say Hello on it at any time.
TEST_P(EarlyStrangerTest, ShouldNotListenToAStreamThatIsOlderThanWhatItKnowsOfThePeer) {
  ASSERT_EQ(mallory->Hello(PARTY_ROLE_FOLLOWER, 13, "mallory").Text(), "OK");
  RawPeer stream(mallory->channel());
  ConnectFollower();
  LinkControl hello = RawPeer::Hello(4711);
  hello.mutable_frames(0)->mutable_hello()->mutable_pair()->set_party_id("mallory");
  stream.Send(hello);
  ExpectSaid(FromGrpc(stream.End()), Code::kUnauthenticated, "does not carry 'follower'");
  Exchange(&pair);
}

INSTANTIATE_TEST_SUITE_P(Over, EarlyStrangerTest,
                         testing::Values(WireChoice::kLink, WireChoice::kTrainer),
                         [](const auto& over) {
                           return over.param == WireChoice::kLink ? "Link" : "Trainer";
                         });

// A pair over the trainer wire whose leader hears nothing of its follower any more, and never asks
// by itself.
class LateStrangerTest : public testing::Test {
 protected:
  void Connect(int64_t keepalive_timeout_ms) {
    pair.UseTrainer();
    pair.leader.options.keepalive_interval_ms = 0;
    pair.leader.options.keepalive_timeout_ms = keepalive_timeout_ms;
    pair.ConnectThroughProxies();
    pair.to_follower->Suffer(Fault::kSwallow);
    stranger = std::make_unique<RawCaller>(pair.leader.node->port());
  }

  Pair pair;
  std::unique_ptr<RawCaller> stranger;
};

// Anybody can say Hello: whether the peer answers to that says nothing about its connection.
TEST_F(LateStrangerTest, ShouldNotTakeThePeerForMissingBecauseOfAStrangersHello) {
  Connect(/*keepalive_timeout_ms=*/100);
  StateLog log(pair.leader.peer);
  Arrival waiting;
  pair.leader.peer->ReceiveTensor("x", 0, waiting.allocate(), waiting.ending.call());
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(stranger->Hello(PARTY_ROLE_FOLLOWER, 4711).Text(), "OK");
    EXPECT_FALSE(waiting.ending.ended_within(std::chrono::milliseconds(300)));
  }
  EXPECT_EQ(pair.leader.peer->standing().state, PeerState::kReady);
  for (const PeerState state : log.states()) EXPECT_NE(state, PeerState::kReconnecting);
  pair.leader.node->Close();
}

// Nor may it keep the leader's close waiting.
TEST_F(LateStrangerTest, ShouldNotLetAConnectWaitForAPeerThatIsSilent) {
  Connect(/*keepalive_timeout_ms=*/600'000);
  ExpectSaid(stranger->Connect(), Code::kUnavailable, "This party is not ready yet.");
  EXPECT_EQ(pair.leader.peer->standing().state, PeerState::kReady);
}

TEST_F(LateStrangerTest, ShouldSayThatBothAreFollowers) {
  Connect(100);
  RawCaller other(pair.follower.node->port());
  ExpectSaid(other.Connect(), Code::kFailedPrecondition,
             "both parties are configured as follower: one has to be the leader");
}

}  // namespace
}  // namespace efl::test
