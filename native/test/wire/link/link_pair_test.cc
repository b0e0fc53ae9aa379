// Who may be a pair over the streaming wire, and what is said where two aren't.
#include <gtest/gtest.h>

#include <vector>

#include "support/pair.h"

namespace efl::test {
namespace {

// One knows where the other is, and that one only listens.
void OpenTowards(Party* dials, Party* listens) {
  EXPECT_EQ(listens->Open().Text(), "OK");
  EXPECT_EQ(dials->Open().Text(), "OK");
  EXPECT_EQ(listens->Await().Text(), "OK");
  EXPECT_EQ(dials->Meet(listens->node->port()).Text(), "OK");
}

TEST(LinkPairTest, ShouldConnectWhenOneDialsAndOneListens) {
  for (const bool leader_listens : {true, false}) {
    Party dials(leader_listens ? Role::kFollower : Role::kLeader);
    Party listens(leader_listens ? Role::kLeader : Role::kFollower);
    dials.options.listen_address = "";
    dials.options.wire = listens.options.wire = WireChoice::kAuto;
    OpenTowards(&dials, &listens);
    EXPECT_EQ(dials.node->port(), 0);
    ASSERT_TRUE(listens.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
    Ending here, there, sent;
    listens.peer->Connect(here.call());
    dials.peer->Connect(there.call());
    EXPECT_EQ(here.status().Text(), "OK");
    EXPECT_EQ(there.status().Text(), "OK");
    const std::vector<float> values{1, 2};
    Arrival arrival;
    listens.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
    dials.peer->SendTensor(Floats("x", 0, values), sent.call());
    EXPECT_EQ(arrival.ending.status().Text(), "OK");
    // Who has no address is called what it calls itself.
    Arrival waiting;
    listens.peer->ReceiveTensor("x", 1, waiting.allocate(), waiting.ending.call());
    dials.node->Close();
    ExpectSaid(waiting.ending.status(), Code::kUnavailable, "the peer has left");
    EXPECT_EQ(waiting.ending.status().subject().peer, RoleName(dials.options.role));
  }
}

struct WrongPair {
  const char* said;
  void (*set)(Options*);
};

TEST(LinkPairTest, ShouldRefuseAWrongPairAtBothEndsWithBothValues) {
  const WrongPair wrongs[] = {
      {"both parties are configured as leader",
       [](Options* options) { options->role = Role::kLeader; }},
      {"job_id is 'mnist' at the leader, 'cifar' at the follower",
       [](Options* options) { options->job_id = "cifar"; }},
      {"worker_index is '1' at the leader, '2' at the follower",
       [](Options* options) { options->worker_index = 2; }},
      {"worker_count is '4' at the leader, '8' at the follower",
       [](Options* options) { options->worker_count = 8; }},
  };
  for (const WrongPair& wrong : wrongs) {
    for (const bool both_dial : {true, false}) {
      Party here(Role::kLeader), there(Role::kFollower);
      for (Party* party : {&here, &there}) {
        party->options.wire = WireChoice::kLink;
        party->options.job_id = "mnist";
        party->options.worker_index = 1;
        party->options.worker_count = 4;
      }
      wrong.set(&there.options);
      ASSERT_EQ(here.Open().Text(), "OK");
      ASSERT_EQ(there.Open().Text(), "OK");
      ASSERT_EQ((both_dial ? here.Meet(there.node->port()) : here.Await()).Text(), "OK");
      ASSERT_EQ(there.Meet(here.node->port()).Text(), "OK");
      Ending of_here, of_there;
      here.peer->Connect(of_here.call());
      there.peer->Connect(of_there.call());
      ExpectSaid(of_here.status(), Code::kFailedPrecondition, wrong.said);
      ExpectSaid(of_there.status(), Code::kFailedPrecondition, wrong.said);
    }
  }
}

TEST(LinkPairTest, ShouldFallBackToTheTrainerWire) {
  Pair pair;
  pair.leader.options.wire = WireChoice::kTrainer;
  pair.follower.options.wire = WireChoice::kAuto;
  pair.Connect();
  Exchange(&pair);
}

// The other way round nobody could call.
TEST(LinkPairTest, ShouldNotFallBackWithAPartyThatOnlyListens) {
  Party listens(Role::kLeader), dials(Role::kFollower);
  listens.options.wire = WireChoice::kAuto;
  dials.options.wire = WireChoice::kTrainer;
  OpenTowards(&dials, &listens);
  Ending here, there;
  listens.peer->Connect(here.call());
  dials.peer->Connect(there.call());
  constexpr const char* kSaid = "it is 1 at the leader, 0 at the follower";
  ExpectSaid(here.status(), Code::kFailedPrecondition, kSaid);
  ExpectSaid(there.status(), Code::kFailedPrecondition, kSaid);
}

TEST(LinkPairTest, ShouldSayWhomItHasSentAwayBeforeItWaited) {
  Party listens(Role::kLeader), dials(Role::kFollower);
  listens.options.wire = dials.options.wire = WireChoice::kLink;
  listens.options.job_id = "mnist";
  OpenTowards(&dials, &listens);
  Ending here, there;
  dials.peer->Connect(there.call());
  EXPECT_EQ(there.status().code(), Code::kFailedPrecondition);
  listens.peer->Connect(here.call(0, 300));
  ExpectSaid(here.status(), Code::kDeadlineExceeded, "job_id is 'mnist' at the leader");
}

TEST(LinkPairTest, ShouldSayThatThePeerDoesNotSpeakIt) {
  Pair pair;
  pair.follower.options.wire = WireChoice::kLink;
  pair.leader.options.wire = WireChoice::kTrainer;
  pair.Open();
  Ending here, there;
  pair.follower.peer->Connect(there.call());
  pair.leader.peer->Connect(here.call(0, 300));
  ExpectSaid(there.status(), Code::kFailedPrecondition,
             "wire=link (EFL_WIRE), and the peer does not speak it: version 1 here, 0 there");
  here.Wait();
}

}  // namespace
}  // namespace efl::test
