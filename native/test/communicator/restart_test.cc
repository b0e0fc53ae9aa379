// A party dies without a word and comes again as another incarnation: the one that lived on finds
// it, whichever of the two it is. Existing parties wait for each other for ever here.
#include <gtest/gtest.h>

#include <string>

#include "support/pair.h"

namespace efl::test {
namespace {

class RestartTest : public testing::TestWithParam<Role> {
 protected:
  RestartTest() : again_(GetParam()) {}

  Party& survivor() { return GetParam() == Role::kLeader ? pair_.follower : pair_.leader; }

  // What was the party is out of reach at once; behind its address there is another node.
  void Restart() {
    again_.options.wire = pair_.leader.options.wire;
    ASSERT_EQ(again_.Open().Text(), "OK");
    ASSERT_EQ(again_.Meet(survivor().node->port()).Text(), "OK");
    ASSERT_TRUE(again_.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
    ASSERT_TRUE(again_.peer->RegisterDataset("train").ok());
    const bool leader = GetParam() == Role::kLeader;
    (leader ? pair_.to_follower : pair_.to_leader)->Cut();
    (leader ? pair_.to_leader : pair_.to_follower)->Retarget(again_.node->port());
  }

  void ConnectSurvivor() {
    Ending connecting;
    survivor().peer->Connect(connecting.call());
    EXPECT_EQ(connecting.status().Text(), "OK");
  }

  void ExchangeAnew() {
    for (const bool forth : {true, false}) {
      Arrival arrival;
      Ending sent;
      Party& from = forth ? survivor() : again_;
      Party& to = forth ? again_ : survivor();
      to.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
      from.peer->SendTensor(Floats("x", 0, values_), sent.call());
      EXPECT_EQ(arrival.ending.status().Text(), "OK");
      EXPECT_EQ(sent.status().Text(), "OK");
      EXPECT_EQ(arrival.bytes, BytesOf(values_));
      Ending asked, answered;
      from.peer->ReceiveCheckpointVersion(asked.call());
      to.peer->SendCheckpointVersion("7", answered.call());
      EXPECT_EQ(answered.status().Text(), "OK");
      EXPECT_EQ(asked.Wait().outcome.text, "7");
    }
  }

  const std::vector<float> values_{1, 2, 3};
  Pair pair_;
  Party again_;
};

TEST_P(RestartTest, ShouldConnectToAPartyThatWaitedForTheDeadOne) {
  pair_.ConnectThroughProxies();
  Arrival arrival;
  survivor().peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  Restart();
  // At once: the survivor has not noticed anything yet.
  Ending connecting;
  again_.peer->Connect(connecting.call());
  ExpectSaid(arrival.ending.status(), Code::kAborted, "the peer has restarted");
  ConnectSurvivor();
  EXPECT_EQ(connecting.status().Text(), "OK");
  ExchangeAnew();
}

TEST_P(RestartTest, ShouldConnectToAPartyThatHasNoticedTheLoss) {
  pair_.leader.options.reconnect_timeout_ms = pair_.follower.options.reconnect_timeout_ms = 300;
  pair_.ConnectThroughProxies();
  Arrival arrival;
  survivor().peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  pair_.to_leader->Break();
  pair_.to_follower->Break();
  (GetParam() == Role::kLeader ? pair_.to_leader : pair_.to_follower)->Retarget(FreePort());
  (GetParam() == Role::kLeader ? pair_.to_follower : pair_.to_leader)->Cut();
  ExpectSaid(arrival.ending.status(), Code::kUnavailable, "could not be made again");
  Ending surviving;
  survivor().peer->Connect(surviving.call());
  Restart();
  Ending connecting;
  again_.peer->Connect(connecting.call());
  EXPECT_EQ(surviving.status().Text(), "OK");
  EXPECT_EQ(connecting.status().Text(), "OK");
  ExchangeAnew();
}

// It answers until its server is down, and is gone then.
TEST_P(RestartTest, ShouldNotTakeAPartyThatClosesForTheOneThatComes) {
  pair_.ConnectThroughProxies();
  Party& closing = GetParam() == Role::kLeader ? pair_.leader : pair_.follower;
  closing.peer->BeginClose();
  survivor().peer->OnGoodbye(closing.peer->introduction().incarnation, "closed");
  Ending surviving;
  survivor().peer->Connect(surviving.call());
  // It asks meanwhile.
  EXPECT_FALSE(surviving.ended_within(std::chrono::milliseconds(500)));
  Restart();
  Ending connecting;
  again_.peer->Connect(connecting.call());
  EXPECT_EQ(surviving.status().Text(), "OK");
  EXPECT_EQ(connecting.status().Text(), "OK");
  ExchangeAnew();
}

// The leader waits for the follower that it has met.
TEST(LeaderTest, ShouldConnectToAFollowerWhosePredecessorDiedBeforeItConnected) {
  Pair pair;
  ASSERT_EQ(pair.leader.Open().Text(), "OK");
  ASSERT_EQ(pair.follower.Open().Text(), "OK");
  faults::FaultProxy to_follower(pair.follower.node->port());
  ASSERT_EQ(pair.leader.Meet(to_follower.port()).Text(), "OK");
  ASSERT_EQ(pair.follower.Meet(pair.leader.node->port()).Text(), "OK");
  Ending leading;
  pair.leader.peer->Connect(leading.call());
  EXPECT_FALSE(leading.ended_within(std::chrono::milliseconds(500)));
  Party again(Role::kFollower);
  ASSERT_EQ(again.Open().Text(), "OK");
  ASSERT_EQ(again.Meet(pair.leader.node->port()).Text(), "OK");
  to_follower.Retarget(again.node->port());
  to_follower.Break();
  Ending following;
  again.peer->Connect(following.call());
  EXPECT_EQ(following.status().Text(), "OK");
  EXPECT_EQ(leading.status().Text(), "OK");
}

// What the dead one asked waits at the survivor while nothing says that it is dead. Nobody would
// hear the answer, and the new one would wait for it.
TEST(RestartedFollowerTest, ShouldBeGivenTheAnswerThatTheDeadOneWaitedFor) {
  Pair pair;
  pair.UseTrainer();
  pair.ConnectThroughProxies();
  Ending asked_in_vain;
  pair.follower.peer->ReceiveCheckpointVersion(asked_in_vain.call());
  Exchange(&pair);  // by now the question is there
  pair.to_leader->Suffer(faults::Fault::Kind::kSwallow);
  pair.follower.node->Close();
  Arrival waiting;
  pair.leader.peer->ReceiveTensor("x", 1, waiting.allocate(), waiting.ending.call());

  Party again(Role::kFollower);
  again.options.wire = WireChoice::kTrainer;
  ASSERT_EQ(again.Open().Text(), "OK");
  ASSERT_EQ(again.Meet(pair.leader.node->port()).Text(), "OK");
  pair.to_follower->Retarget(again.node->port());
  Ending connecting, surviving;
  again.peer->Connect(connecting.call());
  ExpectSaid(waiting.ending.status(), Code::kAborted, "the peer has restarted");
  pair.leader.peer->Connect(surviving.call());
  ASSERT_EQ(surviving.status().Text(), "OK");
  ASSERT_EQ(connecting.status().Text(), "OK");
  Ending answered, asked;
  pair.leader.peer->SendCheckpointVersion("7", answered.call());
  again.peer->ReceiveCheckpointVersion(asked.call());
  EXPECT_EQ(answered.status().Text(), "OK");
  EXPECT_EQ(asked.Wait().outcome.text, "7");
}

// Over the trainer wire a name's tensors wait for each other: those that never left aren't for
// whoever is there next.
TEST_P(RestartTest, ShouldEndTheSendsThatWaitedForTheirTurn) {
  pair_.UseTrainer();
  pair_.ConnectThroughProxies();
  Ending on_the_way, waiting, behind;
  survivor().peer->SendTensor(Floats("x", 0, values_), on_the_way.call());
  survivor().peer->SendTensor(Floats("x", 1, values_), waiting.call());
  survivor().peer->SendTensor(Floats("x", 2, values_), behind.call());
  Restart();
  EXPECT_EQ(on_the_way.status().code(), Code::kUnavailable);
  EXPECT_EQ(again_.peer->stats().parked_tensors, 0);
  ExpectSaid(waiting.status(), Code::kAborted, "the peer has restarted");
  ExpectSaid(behind.status(), Code::kAborted, "the peer has restarted");
  EXPECT_EQ(again_.peer->stats().parked_tensors, 0);
  Ending connecting;
  again_.peer->Connect(connecting.call());
  ConnectSurvivor();
  EXPECT_EQ(connecting.status().Text(), "OK");
  ExchangeAnew();
}

// To the same party they go once it has said that it is the one it was.
TEST(TrainerQueueTest, ShouldGoOnAfterABrokenConnection) {
  Pair pair;
  pair.UseTrainer();
  pair.leader.options.keepalive_interval_ms = pair.follower.options.keepalive_interval_ms = 0;
  pair.ConnectThroughProxies();
  const std::vector<float> values{1, 2};
  Ending on_the_way, waiting, behind;
  // What this wire loses can't be told from what arrived without its answer: it shall not arrive.
  pair.to_leader->Suffer(faults::Fault::Kind::kSwallow);
  pair.follower.peer->SendTensor(Floats("x", 0, values), on_the_way.call());
  pair.follower.peer->SendTensor(Floats("x", 1, values), waiting.call());
  pair.follower.peer->SendTensor(Floats("x", 2, values), behind.call());
  pair.to_leader->Heal();
  pair.to_leader->Break();
  EXPECT_EQ(on_the_way.status().code(), Code::kUnavailable);
  for (int step = 1; step <= 2; ++step) {
    Arrival arrival;
    pair.leader.peer->ReceiveTensor("x", step, arrival.allocate(), arrival.ending.call());
    EXPECT_EQ(arrival.ending.status().Text(), "OK");
    EXPECT_EQ(arrival.bytes, BytesOf(values));
  }
  EXPECT_EQ(waiting.status().Text(), "OK");
  EXPECT_EQ(behind.status().Text(), "OK");
}

INSTANTIATE_TEST_SUITE_P(Of, RestartTest, testing::Values(Role::kLeader, Role::kFollower),
                         [](const auto& of) {
                           return of.param == Role::kLeader ? "Leader" : "Follower";
                         });

}  // namespace
}  // namespace efl::test
