// Moments that are hard to hit and easy to get wrong, and parties that don't mean well.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "efl/trainer_service.pb.h"
#include "support/certificates.h"
#include "support/pair.h"
#include "wire/messages.h"

namespace efl::test {
namespace {

constexpr std::chrono::seconds kSoon{8};

TEST(AdversityTest, ShouldLetTheEndOfAnOperationCloseTheNodeThatIsClosing) {
  Pair pair;
  pair.Connect();
  Node* node = pair.leader.node.get();
  Arrival arrival;
  Peer::Call call = arrival.ending.call();
  call.done = [node, done = std::move(call.done)](const Status& status, const Outcome& outcome) {
    node->Close();
    done(status, outcome);
  };
  pair.leader.peer->ReceiveTensor("x", 0, arrival.allocate(), std::move(call));
  Within(kSoon, [node] { node->Close(); });
  EXPECT_EQ(arrival.ending.status().code(), Code::kCancelled);
}

TEST(AdversityTest, ShouldLetTwoNodesCloseEachOther) {
  Pair pair;
  // One is in the callback; what the other party's callback comes from may have to be written yet.
  pair.leader.options.server_thread_num = pair.follower.options.server_thread_num = 2;
  pair.Connect();
  std::atomic<int> arrived{0};
  Ending of_leader, of_follower, by_leader, by_follower;
  const auto closes = [&](Node* other, Ending* ending) {
    Peer::Call call = ending->call();
    call.done = [&, other, done = std::move(call.done)](const Status& status,
                                                        const Outcome& outcome) {
      ++arrived;
      while (arrived < 2) std::this_thread::yield();
      other->Close();
      done(status, outcome);
    };
    return call;
  };
  Within(kSoon, [&] {
    pair.leader.peer->ReceiveCheckpointVersion(closes(pair.follower.node.get(), &of_leader));
    pair.follower.peer->ReceiveCheckpointVersion(closes(pair.leader.node.get(), &of_follower));
    pair.leader.peer->SendCheckpointVersion("1", by_leader.call());
    pair.follower.peer->SendCheckpointVersion("1", by_follower.call());
    of_leader.Wait();
    of_follower.Wait();
    pair.leader.node->Close();
    pair.follower.node->Close();
  });
}

TEST(AdversityTest, ShouldLetTheEndOfAnOperationDropTheNode) {
  Pair pair;
  pair.Connect();
  Ending ending;
  Peer::Call call = ending.call(7);
  call.done = [&, done = std::move(call.done)](const Status& status, const Outcome& outcome) {
    std::exchange(pair.leader.node, nullptr)->Close();
    pair.leader.peer = nullptr;
    done(status, outcome);
  };
  OutgoingTensor wrong;
  wrong.info = {"x", -1, kFloat, {}, 4};
  const std::shared_ptr<Peer> held = pair.leader.peer;
  held->SendTensor(std::move(wrong), std::move(call));
  EXPECT_EQ(ending.status().code(), Code::kInvalidArgument);
}

TEST(AdversityTest, ShouldTellThePeerOfASendWhoseRunHadFailedBefore) {
  Pair pair;
  pair.Connect();
  pair.follower.peer->FailGroup(9, "the run has failed");
  Arrival arrival;
  Ending sent;
  const std::vector<float> values{1};
  pair.leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  pair.follower.peer->SendTensor(Floats("x", 0, values), sent.call(9));
  EXPECT_EQ(sent.status().code(), Code::kAborted);
  EXPECT_EQ(arrival.ending.status().code(), Code::kAborted);
}

TEST(AdversityTest, ShouldTellThePeerOfASendThatTheNetworkBroke) {
  Pair pair;
  pair.UseTrainer();  // a link goes on
  pair.ConnectThroughProxies();
  Ending sent;
  const std::vector<float> values{1};
  pair.follower.peer->SendTensor(Floats("x", 0, values), sent.call());
  EXPECT_FALSE(sent.ended_within(std::chrono::milliseconds(50)));
  pair.to_leader->Break();
  EXPECT_EQ(sent.status().code(), Code::kUnavailable);
  Arrival arrival;
  pair.leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  // It ends well when it comes before the news; it doesn't wait for what nobody sends.
  const Status status = arrival.ending.status();
  EXPECT_TRUE(status.ok() || status.message().find("the peer could not send it") == 0)
      << status.Text();
}

TEST(AdversityTest, ShouldGoOnAfterTheNetworkBroke) {
  Pair pair;
  pair.ConnectThroughProxies();
  Arrival arrival;
  pair.leader.peer->ReceiveTensor("x", 4, arrival.allocate(), arrival.ending.call());
  pair.to_leader->Break();
  pair.to_follower->Break();
  EXPECT_FALSE(arrival.ending.ended_within(std::chrono::milliseconds(700)));
  const std::vector<float> values{1};
  Ending sent;
  pair.follower.peer->SendTensor(Floats("x", 4, values), sent.call());
  EXPECT_EQ(sent.status().Text(), "OK");
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
}

TEST(AdversityTest, ShouldNotLeaveAnOperationBehindThatStartsWhileThePeerLeaves) {
  for (int round = 0; round < 20; ++round) {
    Pair pair;
    pair.Connect();
    constexpr int kCount = 300;
    std::vector<Arrival> arrivals(kCount);
    const uint64_t incarnation = pair.follower.peer->introduction().incarnation;
    std::thread receiver([&] {
      for (int i = 0; i < kCount; ++i) {
        pair.leader.peer->ReceiveTensor("x", i, arrivals[i].allocate(), arrivals[i].ending.call());
      }
    });
    pair.leader.peer->OnGoodbye(incarnation, "closed");
    receiver.join();
    for (Arrival& arrival : arrivals) EXPECT_EQ(arrival.ending.status().code(), Code::kUnavailable);
  }
}

TEST(AdversityTest, ShouldNotEndANewReceiveForAFailureBeforeTheReconnect) {
  Pair pair;
  pair.Connect();
  const uint64_t incarnation = pair.follower.peer->introduction().incarnation;
  pair.leader.peer->OnReset(incarnation, "x", 0, {Code::kDeadlineExceeded, "an old story"});
  pair.leader.peer->OnGoodbye(incarnation, "closed");
  pair.follower.peer->OnGoodbye(pair.leader.peer->introduction().incarnation, "closed");
  pair.ConnectPeers();
  Exchange(&pair);
}

// Whoever hears of the loss may connect again while others still hear of it.
TEST(AdversityTest, ShouldNotEndWhatBeginsWhileALossIsTold) {
  Pair pair;
  pair.UseTrainer();
  pair.Connect();
  Ending again;
  Arrival arrival;
  Peer::Call call = arrival.ending.call();
  call.done = [&, done = std::move(call.done)](const Status& status, const Outcome& outcome) {
    pair.leader.peer->Connect(again.call());
    // Until it waits for the follower.
    EXPECT_FALSE(again.ended_within(std::chrono::milliseconds(500)));
    done(status, outcome);
  };
  pair.leader.peer->ReceiveTensor("x", 0, arrival.allocate(), std::move(call));
  const uint64_t incarnation = pair.follower.peer->introduction().incarnation;
  pair.leader.peer->OnGoodbye(incarnation, "closed");
  ExpectSaid(arrival.ending.status(), Code::kUnavailable, "the peer has left");
  pair.follower.peer->OnGoodbye(pair.leader.peer->introduction().incarnation, "closed");
  Ending of_follower;
  pair.follower.peer->Connect(of_follower.call());
  EXPECT_EQ(again.status().Text(), "OK");
  EXPECT_EQ(of_follower.status().Text(), "OK");
  Exchange(&pair);
}

// What the peer couldn't be told before it was lost isn't for the connection that follows.
TEST(AdversityTest, ShouldNotTellTheNextConnectionOfAFailureBeforeIt) {
  Pair pair;
  pair.UseTrainer();
  pair.ConnectThroughProxies();
  const std::vector<float> values{1};
  Ending failed, sent;
  pair.follower.peer->SendTensor(Floats("x", 7, values), failed.call());
  pair.to_leader->Suffer(faults::Fault::Kind::kReset);
  EXPECT_EQ(failed.status().code(), Code::kUnavailable) << failed.status().Text();
  pair.leader.peer->OnGoodbye(pair.follower.peer->introduction().incarnation, "closed");
  pair.follower.peer->OnGoodbye(pair.leader.peer->introduction().incarnation, "closed");
  pair.to_leader->Heal();
  pair.ConnectPeers();
  Arrival arrival;
  pair.leader.peer->ReceiveTensor("x", 7, arrival.allocate(), arrival.ending.call());
  std::this_thread::sleep_for(std::chrono::seconds(2));  // it would be told by now
  pair.follower.peer->SendTensor(Floats("x", 7, values), sent.call());
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(sent.status().Text(), "OK");
}

// A receive that becomes overdue in the moment in which its tensor arrives.
TEST(AdversityTest, ShouldEndAReceiveOnceWhateverComesFirst) {
  Pair pair;
  pair.Connect();
  const std::vector<float> values{1};
  for (int i = 0; i < 300; ++i) {
    Arrival arrival, rest;
    Ending sent;
    pair.leader.peer->ReceiveTensor("x", i, arrival.allocate(), arrival.ending.call(0, 1));
    pair.follower.peer->SendTensor(Floats("x", i, values), sent.call());
    if (arrival.ending.status().ok()) continue;
    pair.leader.peer->ReceiveTensor("x", i, rest.allocate(), rest.ending.call(1000 + i));
    if (sent.status().ok()) {
      EXPECT_EQ(rest.ending.status().Text(), "OK");
    } else {
      // It had begun to land: the send has ended with the receive.
      ExpectSaid(sent.status(), Code::kDeadlineExceeded, arrival.ending.status().message());
      pair.leader.peer->FailGroup(1000 + i, "there is nothing more");
      rest.ending.Wait();
    }
  }
}

TEST(AdversityTest, ShouldCountTheWholeMessageAgainstTheMailbox) {
  Party party(Role::kLeader);
  party.options.mailbox_bytes = 1 << 20;
  ASSERT_EQ(party.Open().Text(), "OK");
  ASSERT_EQ(party.Meet(FreePort()).Text(), "OK");
  ASSERT_TRUE(party.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
  MessageRequest request;
  request.set_name("x");
  request.mutable_tensor()->set_dtype(kFloat);
  request.mutable_tensor()->set_tensor_content("abcd");
  request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(
      99, std::string(2 << 20, 'z'));
  ClientOptions options;
  options.address = "127.0.0.1:" + std::to_string(party.node->port());
  options.max_send_message_size = options.max_receive_message_size = 16 << 20;
  StreamQueue streams;
  Client client(options, TlsFiles::None(), nullptr, &streams.queue);
  Ending ending;
  const auto done = ending.done();
  client.Call("/efl.TrainerService/SendMessage", Encode(request), 0,
              [&](const grpc::Status& status, grpc::ByteBuffer* bytes) {
                MessageResponse response;
                EXPECT_TRUE(status.ok() && Decode(bytes, &response));
                done(OutcomeOf(response), {});
              });
  EXPECT_EQ(ending.status().code(), Code::kResourceExhausted);
}

TEST(AdversityTest, ShouldWaitForAPeerBehindALoadBalancerThatHangsUp) {
  Certificates certificates;
  Certificates::Wish wish;
  wish.valid_from_s = -86400;  // for clocks that jump
  wish.valid_for_s = 2 * 86400;
  certificates.Make("follower", wish);
  Party party(Role::kFollower);
  party.options.tls = certificates.Tls("follower");
  ASSERT_EQ(party.Open().Text(), "OK");
  // Accepts, finds nobody to forward to, hangs up.
  faults::FaultProxy proxy(FreePort());
  ASSERT_EQ(party.Meet(proxy.port()).Text(), "OK");
  Ending connecting;
  party.peer->Connect(connecting.call(0, 1500));
  EXPECT_EQ(connecting.status().code(), Code::kDeadlineExceeded) << connecting.status().Text();
}

}  // namespace
}  // namespace efl::test
