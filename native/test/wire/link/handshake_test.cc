// How a connection of a link begins, with a party of another make that keeps to the protocol or
// doesn't.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "grpc/grpc_status.h"
#include "support/listening_leader.h"
#include "support/log_lines.h"
#include "support/state_log.h"
#include "wire/messages.h"

namespace efl::test {
namespace {

class HandshakeTest : public ListeningLeader {
 protected:
  // Says this first on a connection of its own, and how the leader has ended that.
  grpc::Status Refused(const LinkControl& first, const std::string& data = {}) {
    Dial().Send(first, data);
    return raw->End();
  }
  // The terms of a link whose follower asks for these.
  LinkTerms TermsFor(const LinkControl& hello) {
    Dial().Send(hello);
    LinkTerms terms = raw->AwaitWelcome().terms();
    EXPECT_EQ(connected.status().Text(), "OK");
    return terms;
  }
  static LinkTerms* TermsOf(LinkControl* hello) {
    return hello->mutable_frames(0)->mutable_hello()->mutable_terms();
  }
};

TEST_F(HandshakeTest, ShouldNotLetInWhoBeginsOtherwise) {
  Listen();
  LinkControl goodbye;
  goodbye.add_frames()->mutable_goodbye();
  EXPECT_EQ(Refused(goodbye).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Refused(RawPeer::Hello(0)).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  LinkControl long_id = RawPeer::Hello();
  long_id.mutable_frames(0)->mutable_hello()->mutable_pair()->set_party_id(std::string(2000, 'x'));
  EXPECT_EQ(Refused(long_id).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const grpc::Status unknown = Refused(RawPeer::Hello(4711, true));
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::ABORTED) << unknown.error_message();
  Connect();
}

// It says nothing of the line to the peer.
TEST_F(HandshakeTest, ShouldCountNoDamageOfStrangers) {
  LogLines lines(LogLevel::kWarning);
  Listen();
  RawPeer stranger(leader.node->port());
  stranger.Skip();
  stranger.Send(RawPeer::Hello());
  EXPECT_EQ(stranger.End().error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_EQ(leader.peer->stats().checksum_failures, 0u);
  EXPECT_EQ(lines.Count("lost on the way"), 0);
  Connect();
}

TEST_F(HandshakeTest, ShouldRefuseTermsThatWouldKeepItBusyAtBothEnds) {
  Listen();
  LinkControl hello = RawPeer::Hello();
  TermsOf(&hello)->set_chunk_bytes(kRawChunk - 1);
  const grpc::Status end = Refused(hello);
  ExpectSaid(FromGrpc(end), Code::kInvalidArgument, "chunk_bytes of at least 1024, not 1023");
  ExpectSaid(connected.status(), Code::kInvalidArgument, "chunk_bytes of at least 1024, not 1023");
}

TEST_F(HandshakeTest, ShouldRefuseAWindowThatHoldsNoChunks) {
  Listen();
  LinkControl hello = RawPeer::Hello();
  TermsOf(&hello)->set_window_bytes(2 * kRawChunk - 1);
  ExpectSaid(FromGrpc(Refused(hello)), Code::kInvalidArgument,
             "window_bytes of at least 2048, not 2047");
  EXPECT_EQ(connected.status().code(), Code::kInvalidArgument);
}

// Frames, or bytes of chunks, or what isn't even a message: it isn't looked at.
TEST_F(HandshakeTest, ShouldTakeNothingThatIsLongerThanAHandshake) {
  Listen();
  LinkControl many;
  AddOpen(&many, 1, 0, 1)->set_name(std::string(15 << 20, 'x'));
  for (const grpc::Status& end :
       {Refused(many), Refused(RawPeer::Hello(), std::string(1 << 20, 'x'))}) {
    ExpectSaid(FromGrpc(end), Code::kAborted, "a handshake, of at most 8192 bytes");
  }
  Connect();
  const grpc::Status end = Refused(RawPeer::Hello(), std::string(1 << 20, 'x'));
  ExpectSaid(FromGrpc(end), Code::kInvalidArgument, "a handshake, of at most 8192 bytes");
}

// Of a link with the party that this one has taken the place of.
TEST_F(HandshakeTest, ShouldSayThatItHasRestartedToWhoSpeaksOfManyTensors) {
  Listen();
  LinkControl hello = RawPeer::Hello(4711, true);
  LinkState* state = hello.mutable_frames(0)->mutable_hello()->mutable_state();
  for (uint64_t i = 1; i <= 5000; ++i) state->add_transfers()->set_transfer(i);
  EXPECT_EQ(Refused(hello).error_code(), grpc::StatusCode::ABORTED);
  Connect();
}

// A peer that comes back says of each tensor that is under way to it how far it has come.
TEST_F(HandshakeTest, ShouldTakeAHandshakeThatSpeaksOfManyTensors) {
  Listen();
  Connect();
  constexpr uint64_t kCount = 5000;
  const std::vector<float> values{1};
  std::vector<Ending> sent(kCount);
  for (uint64_t i = 0; i < kCount; ++i) {
    leader.peer->SendTensor(Floats("x", static_cast<int64_t>(i), values), sent[i].call());
  }
  LinkControl hello = RawPeer::Hello(42, true);
  LinkState* state = hello.mutable_frames(0)->mutable_hello()->mutable_state();
  for (uint64_t i = 1; i <= kCount; ++i) {
    LinkCredit* standing = state->add_transfers();
    standing->set_transfer(i);
    standing->set_received(0);
    standing->set_held(true);
  }
  ASSERT_GT(hello.ByteSizeLong(), 8192u);
  Dial().Send(hello);
  raw->AwaitWelcome();
  leader.node->Close();
}

TEST_F(HandshakeTest, ShouldLetInTheSideConnectionsThatALinkHasAndNoOthers) {
  leader.options.connections = 2;
  Listen();
  LinkControl hello = RawPeer::Hello();
  TermsOf(&hello)->set_connections(2);
  ASSERT_EQ(TermsFor(hello).connections(), 2u);
  const auto say = [&](RawPeer* on, uint64_t session, uint32_t index) {
    LinkControl side = RawPeer::Hello(session);
    side.mutable_frames(0)->mutable_hello()->set_connection(index);
    on->Send(side);
  };
  const auto expect_refused = [&](uint64_t session, uint32_t index) {
    RawPeer other(leader.node->port());
    say(&other, session, index);
    ExpectSaid(FromGrpc(other.End()), Code::kAborted, "there is no such link");
  };
  expect_refused(4711, 1);
  expect_refused(42, 2);
  expect_refused(42, 7);
  RawPeer side(leader.node->port());
  say(&side, 42, 1);
  const LinkWelcome welcome = side.AwaitWelcome();
  EXPECT_EQ(welcome.terms().connections(), 2u);
  EXPECT_FALSE(welcome.has_state());
  expect_refused(42, 1);  // it is there already

  Arrival arrival, pending;
  leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  leader.peer->ReceiveTensor("x", 1, pending.allocate(), pending.ending.call());
  LinkControl opens, brings, open_on_side;
  AddOpen(&opens, 1, 0, kFloatsOfAChunk);
  AddOpen(&opens, 2, 0, 0)->set_name("nobody's");
  raw->Send(opens);
  EXPECT_EQ(raw->AwaitDone().transfer(), 2u);  // what was said before it has been heeded
  AddChunk(&brings, 1, 0, chunk);
  side.Send(brings, chunk);
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
  EXPECT_EQ(arrival.bytes, chunk);

  AddOpen(&open_on_side, 3, 1, 1);
  side.Send(open_on_side);
  const char* const said = "a side connection carries chunks alone";
  ExpectSaid(FromGrpc(side.End()), Code::kInternal, said);
  ExpectSaid(pending.ending.status(), Code::kInternal, said);
}

TEST_F(HandshakeTest, ShouldRefuseWhoNamesNoIncarnationAtBothEnds) {
  Listen();
  LinkControl hello = RawPeer::Hello();
  hello.mutable_frames(0)->mutable_hello()->mutable_pair()->set_incarnation(0);
  const char* const said = "a party introduces itself with its incarnation";
  ExpectSaid(FromGrpc(Refused(hello)), Code::kInvalidArgument, said);
  ExpectSaid(connected.status(), Code::kInvalidArgument, said);
}

// A place that a receive's tensor gets when the test says so.
class SlowPlace {
 public:
  explicit SlowPlace(Arrival* arrival) : allocate_(arrival->allocate()) {}

  std::function<void*(const TensorInfo&)> allocate() {
    return [this](const TensorInfo& info) {
      asked_.set_value();
      EXPECT_EQ(given_.get_future().wait_for(kLimit), std::future_status::ready);
      return allocate_(info);
    };
  }
  void AwaitAsked() { EXPECT_EQ(asked_.get_future().wait_for(kLimit), std::future_status::ready); }
  void Give() { given_.set_value(); }

 private:
  const std::function<void*(const TensorInfo&)> allocate_;
  std::promise<void> asked_, given_;
};

// A leader with a thread to spare while one is in a callback that takes its time.
class BusyLeaderTest : public HandshakeTest {
 protected:
  BusyLeaderTest() { leader.options.server_thread_num = 4; }
};

// What waits until the link is idle takes memory: once for each connection.
TEST_F(BusyLeaderTest, ShouldTakeOneHelloOfAConnection) {
  Listen();
  Connect();
  Arrival arrival;
  SlowPlace place(&arrival);
  leader.peer->ReceiveTensor("x", 0, place.allocate(), arrival.ending.call());
  raw->Send(OneChunk(), chunk);
  place.AwaitAsked();
  RawPeer other(leader.node->port());
  other.Send(RawPeer::Hello(42, true));
  other.Send(RawPeer::Hello(42, true));
  const grpc::Status end = other.End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << end.error_message();
  place.Give();
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
}

// It is this party that is slow, not the peer that is gone.
TEST_F(BusyLeaderTest, ShouldNotTakeAPeerForDeadWhoseMessageItStillWorksOn) {
  leader.options.keepalive_interval_ms = 1000;
  leader.options.keepalive_timeout_ms = 500;
  Listen();
  LinkControl hello = RawPeer::Hello();
  TermsOf(&hello)->set_keepalive_interval_ms(1000);
  ASSERT_EQ(TermsFor(hello).keepalive_interval_ms(), 1000u);
  Arrival arrival;
  SlowPlace place(&arrival);
  leader.peer->ReceiveTensor("x", 0, place.allocate(), arrival.ending.call());
  raw->Send(OneChunk(), chunk);
  place.AwaitAsked();
  std::this_thread::sleep_for(std::chrono::milliseconds(4000));  // twice both
  EXPECT_EQ(leader.peer->standing().state, PeerState::kReady);
  place.Give();
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
}

// It says that it has taken it, so it has to heed it.
TEST_F(BusyLeaderTest, ShouldHeedAGoodbyeWhoseConnectionIsReplacedMeanwhile) {
  Listen();
  Connect();
  StateLog log(leader.peer);
  Arrival arrival;
  SlowPlace place(&arrival);
  leader.peer->ReceiveTensor("x", 0, place.allocate(), arrival.ending.call());
  LinkControl last = OneChunk();
  last.add_frames()->mutable_goodbye()->set_reason("enough");
  raw->Send(last, chunk);
  place.AwaitAsked();
  RawPeer other(leader.node->port());
  other.Send(RawPeer::Hello(42, true));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // it waits for the message's end
  place.Give();
  ExpectSaid(log.Await(PeerState::kIdle).cause, Code::kUnavailable, "the peer has left: enough");
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
}

// A receive that has taken the tensor hears of it; the next one of this step has nothing to do
// with it.
TEST_F(BusyLeaderTest, ShouldTellOneReceiveOfASendThatIsGivenUpWhileItsPlaceIsAskedFor) {
  Listen();
  Connect();
  LinkControl half;
  AddOpen(&half, 1, 0, 2 * kFloatsOfAChunk);
  AddChunk(&half, 1, 0, chunk);
  raw->Send(half, chunk);
  AwaitParked(*leader.peer, 1);
  Arrival first, second;
  SlowPlace place(&first);
  std::thread receiving(
      [&] { leader.peer->ReceiveTensor("x", 0, place.allocate(), first.ending.call()); });
  place.AwaitAsked();
  LinkControl given_up;
  LinkAbort* abort = given_up.add_frames()->mutable_abort();
  abort->set_transfer(1);
  abort->set_code(static_cast<tensorflow::error::Code>(Code::kDeadlineExceeded));
  abort->set_msg("too late");
  AddOpen(&given_up, 2, 0, 0)->set_name("nobody's");
  raw->Send(given_up);
  EXPECT_EQ(raw->AwaitDone().transfer(), 2u);  // what was said before it has been heeded
  place.Give();
  receiving.join();
  ExpectSaid(first.ending.status(), Code::kDeadlineExceeded, "too late");
  leader.peer->ReceiveTensor("x", 0, second.allocate(), second.ending.call());
  LinkControl next;
  AddOpen(&next, 3, 0, kFloatsOfAChunk);
  AddChunk(&next, 3, 0, chunk);
  raw->Send(next, chunk);
  EXPECT_EQ(second.ending.status().Text(), "OK");
  EXPECT_EQ(second.bytes, chunk);
}

TEST_F(HandshakeTest, ShouldRefuseAnotherVersionAtBothEndsWithBothValues) {
  Listen();
  LinkControl hello = RawPeer::Hello();
  hello.mutable_frames(0)->mutable_hello()->mutable_pair()->set_protocol_version(7);
  Dial().Send(hello);
  const grpc::Status end = raw->End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_NE(end.error_message().find("1 at the leader, 7 at the other"), std::string::npos)
      << end.error_message();
  ExpectSaid(connected.status(), Code::kFailedPrecondition, "1 at the leader, 7 at the other");
}

TEST_F(HandshakeTest, ShouldCallThePeerWhatItFirstCalledItself) {
  LogLines lines;
  Listen();
  Connect();
  lines.Await("peer  ('raw') is a follower");
  LinkControl hello = RawPeer::Hello(42, true);
  hello.mutable_frames(0)->mutable_hello()->mutable_pair()->set_party_id("somebody");
  Dial().Send(hello);
  raw->AwaitWelcome();
  lines.Await("peer raw: connected over the link");
  Arrival arrival;
  leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  raw->Send(OneChunk(), std::string(kRawChunk, 'X'));
  leader.node->Close();
  EXPECT_EQ(arrival.ending.status().subject().peer, "raw");
}

struct Interval {
  const char* name;
  uint32_t asked_ms, agreed_ms;
};

class KeepaliveTermsTest : public HandshakeTest, public testing::WithParamInterface<Interval> {};

// A peer that asks for a ping each millisecond would keep this party busy.
TEST_P(KeepaliveTermsTest, ShouldAgreeOnAnIntervalThatIsGoodForBoth) {
  Listen();
  LinkControl hello = RawPeer::Hello();
  TermsOf(&hello)->set_keepalive_interval_ms(GetParam().asked_ms);
  EXPECT_EQ(TermsFor(hello).keepalive_interval_ms(), GetParam().agreed_ms);
}

INSTANTIATE_TEST_SUITE_P(
    Asked, KeepaliveTermsTest,
    testing::Values(Interval{"Always", 1, 100}, Interval{"Often", 100, 100},
                    Interval{"Seldom", 250, 250},
                    Interval{"Hardly", 1u << 31,
                             static_cast<uint32_t>(Options().keepalive_interval_ms)},
                    Interval{"Never", 0, 0}),
    [](const auto& asked) { return std::string(asked.param.name); });

}  // namespace
}  // namespace efl::test
