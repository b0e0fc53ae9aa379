// Close, in every state: it ends what is pending, tells the peer, and takes less than five seconds.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "support/pair.h"

namespace efl::test {
namespace {

using Clock = std::chrono::steady_clock;

void CloseInTime(Node* node) {
  const auto start = Clock::now();
  node->Close();
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(5));
}

TEST(CloseTest, ShouldCloseBeforeThereIsAPeer) {
  Party party(Role::kLeader);
  ASSERT_EQ(party.Open().Text(), "OK");
  CloseInTime(party.node.get());
  CloseInTime(party.node.get());
}

TEST(CloseTest, ShouldCloseWhileConnecting) {
  for (const Role role : {Role::kLeader, Role::kFollower}) {
    Party party(role);
    ASSERT_EQ(party.Open().Text(), "OK");
    ASSERT_EQ(party.Meet(FreePort()).Text(), "OK");
    Ending connecting;
    party.peer->Connect(connecting.call());
    EXPECT_FALSE(connecting.ended_within(std::chrono::milliseconds(100)));
    CloseInTime(party.node.get());
    ExpectSaid(connecting.status(), Code::kCancelled, "closed while it was pending");
  }
}

TEST(CloseTest, ShouldCloseWhileTheLeaderWaitsForTheFollower) {
  Pair pair;
  pair.Open();
  Ending connecting;
  pair.leader.peer->Connect(connecting.call());
  EXPECT_FALSE(connecting.ended_within(std::chrono::milliseconds(100)));
  CloseInTime(pair.leader.node.get());
  EXPECT_EQ(connecting.status().code(), Code::kCancelled);
}

TEST(CloseTest, ShouldEndWhatIsPendingAtBothEnds) {
  Pair pair;
  pair.Connect();
  const std::vector<float> values{1};
  Arrival waiting_here, waiting_there;
  Ending sent_here, sent_there, answer_there, question_there;
  ASSERT_TRUE(pair.leader.peer->RegisterTensor("y", kFloat, std::nullopt).ok());
  ASSERT_TRUE(pair.follower.peer->RegisterTensor("y", kFloat, std::nullopt).ok());
  pair.leader.peer->SendTensor(Floats("x", 0, values), sent_here.call());
  pair.follower.peer->SendTensor(Floats("x", 0, values), sent_there.call());
  pair.leader.peer->ReceiveTensor("y", 0, waiting_here.allocate(), waiting_here.ending.call());
  pair.follower.peer->ReceiveTensor("y", 0, waiting_there.allocate(), waiting_there.ending.call());
  pair.follower.peer->SendReaderState("train", "b", 0, answer_there.call());
  pair.follower.peer->ReceiveCheckpointVersion(question_there.call());
  EXPECT_FALSE(question_there.ended_within(std::chrono::milliseconds(50)));
  CloseInTime(pair.leader.node.get());
  ExpectSaid(sent_here.status(), Code::kCancelled, "closed while it was pending");
  ExpectSaid(waiting_here.ending.status(), Code::kCancelled, "closed while it was pending");
  ExpectSaid(sent_there.status(), Code::kUnavailable, "the peer has left");
  ExpectSaid(question_there.status(), Code::kUnavailable, "the peer has left");
  ExpectSaid(waiting_there.ending.status(), Code::kUnavailable, "the peer has left");
  ExpectSaid(answer_there.status(), Code::kUnavailable, "the peer has left");
  Ending after;
  pair.follower.peer->SendTensor(Floats("x", 0, values), after.call());
  ExpectSaid(after.status(), Code::kUnavailable, "Not connected any more: the peer has left");
}

TEST(CloseTest, ShouldCloseInTheMiddleOfATransfer) {
  Pair pair;
  pair.Connect();
  const std::vector<float> values(50 << 20);
  Arrival arrival;
  Ending sent;
  pair.leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  pair.follower.peer->SendTensor(Floats("x", 0, values), sent.call());
  CloseInTime(pair.follower.node.get());
  CloseInTime(pair.leader.node.get());
}

TEST(CloseTest, ShouldCloseWhenThePeerIsGone) {
  Pair pair;
  pair.Connect();
  CloseInTime(pair.follower.node.get());
  Ending sent;
  const std::vector<float> values{1};
  pair.leader.peer->SendTensor(Floats("x", 0, values), sent.call());
  EXPECT_FALSE(sent.status().ok());
  CloseInTime(pair.leader.node.get());
}

// A process that is killed says no Goodbye: its port just stops answering.
TEST(CloseTest, ShouldEndReceivesWhenThePeerVanishes) {
  Pair pair;
  pair.leader.options.reconnect_timeout_ms = 600;
  pair.ConnectThroughProxies();
  Arrival arrival;
  Ending posted;
  pair.leader.peer->ReceiveTensor("x", 3, arrival.allocate(), arrival.ending.call());
  pair.leader.peer->SendReaderState("train", "b", 0, posted.call());
  pair.to_follower->Cut();
  pair.to_leader->Cut();
  ExpectSaid(arrival.ending.status(), Code::kUnavailable, "could not be made again within 600 ms");
  ExpectSaid(posted.status(), Code::kUnavailable, "could not be made again within 600 ms");
  EXPECT_EQ(arrival.ending.status().subject().step, 3);
}

// On the thread that posts the receive, as the tensor is here already.
TEST(CloseTest, ShouldLetAReceiveCloseTheNodeWhenItIsAskedForItsPlace) {
  Pair pair;
  pair.UseTrainer();
  pair.Connect();
  const std::vector<float> values{1};
  Arrival arrival;
  Ending sent;
  pair.follower.peer->SendTensor(Floats("x", 0, values), sent.call());
  AwaitParked(*pair.leader.peer, 1);
  Within(std::chrono::seconds(30), [&] {
    const auto place = [&](const TensorInfo& info) {
      pair.leader.node->Close();
      return arrival.allocate()(info);
    };
    pair.leader.peer->ReceiveTensor("x", 0, place, arrival.ending.call());
    arrival.ending.Wait();
    sent.Wait();
    pair.leader.node->Close();
  });
}

TEST(CloseTest, ShouldRefuseOperationsAfter) {
  Pair pair;
  pair.Connect();
  pair.leader.node->Close();
  const std::vector<float> values{1};
  Ending sent, connected, posted;
  Arrival arrival;
  pair.leader.peer->SendTensor(Floats("x", 0, values), sent.call());
  pair.leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  pair.leader.peer->Connect(connected.call());
  pair.leader.peer->SendCheckpointVersion("1", posted.call());
  for (const Status& status :
       {sent.status(), arrival.ending.status(), connected.status(), posted.status()}) {
    ExpectSaid(status, Code::kFailedPrecondition, "Already Closed.");
  }
}

TEST(CloseTest, ShouldCloseFromACallback) {
  Pair pair;
  pair.Connect();
  Ending closed;
  Node* node = pair.leader.node.get();
  Peer::Call call = closed.call();
  call.done = [node, done = std::move(call.done)](const Status& status, const Outcome& outcome) {
    node->Close();  // on a client thread
    done(status, outcome);
  };
  pair.leader.peer->ReceiveCheckpointVersion(std::move(call));
  Ending posted;
  pair.follower.peer->SendCheckpointVersion("7", posted.call());
  EXPECT_EQ(closed.Wait().outcome.text, "7");
  CloseInTime(node);  // waits for the one that is under way
}

TEST(CloseTest, ShouldCloseFromManyThreadsAtOnce) {
  Pair pair;
  pair.Connect();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([node = pair.leader.node] { CloseInTime(node.get()); });
  }
  for (std::thread& thread : threads) thread.join();
}

// Operations started while the node closes end too, whatever the moment.
TEST(CloseTest, ShouldEndOperationsThatRaceWithIt) {
  for (int round = 0; round < 20; ++round) {
    Pair pair;
    pair.Connect();
    constexpr int kCount = 40;
    const std::vector<float> values{1};
    std::vector<Ending> sent(kCount);
    std::vector<Arrival> arrivals(kCount);
    std::thread sender([&] {
      for (int i = 0; i < kCount; ++i) {
        pair.follower.peer->SendTensor(Floats("x", i, values), sent[i].call());
        pair.leader.peer->ReceiveTensor("x", i, arrivals[i].allocate(), arrivals[i].ending.call());
      }
    });
    pair.leader.node->Close();
    sender.join();
    pair.follower.node->Close();
    for (int i = 0; i < kCount; ++i) {
      sent[i].Wait();
      arrivals[i].ending.Wait();
    }
  }
}

}  // namespace
}  // namespace efl::test
