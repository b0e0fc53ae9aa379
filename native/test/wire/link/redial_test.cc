// How a party that dials comes back to a listener of another make, or doesn't.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>

#include "support/pair.h"
#include "support/raw_caller.h"
#include "support/raw_listener.h"
#include "support/state_log.h"

namespace efl::test {
namespace {

using Stream = RawListener::Stream;
using Clock = std::chrono::steady_clock;

const grpc::Status kAway(grpc::StatusCode::UNAVAILABLE, "away");
const grpc::Status kRefused(grpc::StatusCode::UNAUTHENTICATED, "an old certificate");
// Longer than a refusal is put up with.
constexpr std::chrono::milliseconds kOutage{2500};

class RedialTest : public testing::TestWithParam<WireChoice> {
 protected:
  RedialTest() : listener(GetParam() == WireChoice::kLink) {
    follower.options.wire = GetParam();
    follower.options.reconnect_timeout_ms = 60'000;
    // The listener says nothing unasked.
    if (GetParam() == WireChoice::kLink) follower.options.keepalive_interval_ms = 0;
    follower.options.server_thread_num = 3;
    follower.options.connections = 1;  // more on a machine that is as slow as a long line
  }

  void Open() {
    ASSERT_EQ(follower.Open().Text(), "OK");
    ASSERT_EQ(follower.Meet(listener.port()).Text(), "OK");
    ASSERT_TRUE(follower.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
  }
  void Connect() {
    Ending connected;
    follower.peer->Connect(connected.call());
    ASSERT_EQ(connected.status().Text(), "OK");
  }

  RawListener listener;
  Party follower{Role::kFollower};
};

// Away for a while, then once more with a certificate that isn't known yet, then there.
class Outage {
 public:
  grpc::Status Next() {
    if (Clock::now() - began_ < kOutage) return kAway;
    return refused_.exchange(true) ? grpc::Status::OK : kRefused;
  }

 private:
  const Clock::time_point began_ = Clock::now();
  std::atomic<bool> refused_{false};
};

// The certificate may have been replaced while the connection was broken.
TEST_P(RedialTest, ShouldPutUpWithARefusalAfterALongOutage) {
  const bool link = GetParam() == WireChoice::kLink;
  if (!link) follower.options.keepalive_interval_ms = 50;
  std::promise<void> breaks;
  listener.set_exchange([&](Stream* stream) {
    RawListener::LetIn(stream);
    breaks.get_future().wait();
    return kAway;
  });
  Open();
  Connect();
  StateLog log(follower.peer);
  Outage outage;
  if (link) {
    listener.set_exchange([&](Stream* stream) {
      const grpc::Status now = outage.Next();
      if (!now.ok()) return now;
      RawListener::LetIn(stream);
      return RawListener::Listen(stream);
    });
    breaks.set_value();
  } else {
    listener.set_hello([&] { return outage.Next(); });
  }
  log.Await(PeerState::kReconnecting);
  const PeerStanding next = log.Await(PeerState::kReady);
  EXPECT_EQ(next.state, PeerState::kReady);
  for (const PeerState state : log.states()) EXPECT_NE(state, PeerState::kIdle);
  follower.node->Close();
}

INSTANTIATE_TEST_SUITE_P(Over, RedialTest, testing::Values(WireChoice::kLink, WireChoice::kTrainer),
                         [](const auto& over) {
                           return over.param == WireChoice::kLink ? "Link" : "Trainer";
                         });

class LinkRedialTest : public RedialTest {};

// What looks after a connection that broke may be slow. It isn't to dial for the next link.
TEST_P(LinkRedialTest, ShouldDialOnceForALinkThatBeginsWhileTheLastOneIsStillFalling) {
  std::promise<void> breaks, falling, goes_on;
  std::atomic<bool> told{false};
  listener.set_exchange([&](Stream* stream) {
    RawListener::LetIn(stream);
    breaks.get_future().wait();
    return kAway;
  });
  Open();
  Connect();
  std::shared_future<void> until = goes_on.get_future().share();
  const uint64_t id = follower.peer->AddListener([&](const PeerStanding& standing) {
    if (standing.state != PeerState::kReconnecting || told.exchange(true)) return;
    falling.set_value();
    until.wait_for(kLimit);
  });
  std::promise<void> lets_in;
  std::shared_future<void> may_be_let_in = lets_in.get_future().share();
  listener.set_exchange([&](Stream* stream) {
    may_be_let_in.wait_for(kLimit);
    RawListener::LetIn(stream);
    return RawListener::Listen(stream);
  });
  breaks.set_value();
  ASSERT_EQ(falling.get_future().wait_for(kLimit), std::future_status::ready);
  // The peer says Goodbye beside the link, and is connected to anew.
  RawCaller peer(follower.node->port());
  EXPECT_EQ(peer.Goodbye(RawListener::kIncarnation).Text(), "OK");
  Ending connected;
  follower.peer->Connect(connected.call());
  EXPECT_TRUE(Eventually([&] { return listener.exchanges() == 2; }));
  goes_on.set_value();
  EXPECT_FALSE(connected.ended_within(std::chrono::milliseconds(300)));
  EXPECT_EQ(listener.exchanges(), 2);
  lets_in.set_value();
  EXPECT_EQ(connected.status().Text(), "OK");
  follower.peer->RemoveListener(id);
  follower.node->Close();
}

// gRPC says of what this party has closed that it was cancelled.
TEST_P(LinkRedialTest, ShouldSayWhyItHasGivenAConnectionUp) {
  listener.set_exchange([this](Stream* stream) {
    const bool first = listener.exchanges() == 1;
    RawListener::LetIn(stream, [first](LinkWelcome* mine) {
      if (!first) mine->mutable_terms()->set_chunk_bytes(8);
    });
    if (first) stream->Write(LinkMessage());
    return RawListener::Listen(stream);
  });
  Open();
  StateLog states(follower.peer);
  Connect();
  ExpectSaid(states.Await(PeerState::kReconnecting).cause, Code::kUnknown,
             "a message that is none of the link");
  // Nothing that waiting helps against.
  ExpectSaid(states.Await(PeerState::kIdle).cause, Code::kInvalidArgument,
             "chunk_bytes of at least 1024, not 8");
  follower.node->Close();
}

TEST_P(LinkRedialTest, ShouldRefuseTermsThatAreNoneOfAnyGood) {
  listener.set_exchange([](Stream* stream) {
    RawListener::LetIn(stream,
                       [](LinkWelcome* mine) { mine->mutable_terms()->set_chunk_bytes(8); });
    return RawListener::Listen(stream);
  });
  Open();
  Ending connected;
  follower.peer->Connect(connected.call());
  ExpectSaid(connected.status(), Code::kInvalidArgument, "chunk_bytes of at least 1024, not 8");
}

TEST_P(LinkRedialTest, ShouldNotReadAWelcomeThatIsTooLong) {
  listener.set_exchange([](Stream* stream) {
    RawListener::LetIn(stream, [](LinkWelcome* mine) {
      mine->mutable_pair()->set_job_id(std::string(1 << 20, 'x'));
    });
    return RawListener::Listen(stream);
  });
  Open();
  Ending connected;
  follower.peer->Connect(connected.call());
  ExpectSaid(connected.status(), Code::kInvalidArgument, "a handshake, of at most 8192 bytes");
}

// It was met, has restarted since, and lets this party in.
TEST_P(LinkRedialTest, ShouldMeetAPeerAnewThatHasRestartedBeforeItLetThisPartyIn) {
  static constexpr uint64_t kNext = RawListener::kIncarnation + 1;
  listener.set_exchange([&](Stream* stream) {
    listener.set_incarnation(kNext);
    RawListener::LetIn(stream,
                       [](LinkWelcome* mine) { mine->mutable_pair()->set_incarnation(kNext); });
    return RawListener::Listen(stream);
  });
  Open();
  Connect();
  EXPECT_GT(listener.exchanges(), 1);
  follower.node->Close();
}

INSTANTIATE_TEST_SUITE_P(Over, LinkRedialTest, testing::Values(WireChoice::kLink),
                         [](const auto&) { return "Link"; });

}  // namespace
}  // namespace efl::test
