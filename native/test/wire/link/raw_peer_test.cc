// A party of another make, that keeps to the protocol or doesn't.
#include "support/raw_peer.h"

#include <gtest/gtest.h>

#include <string>

#include "support/listening_leader.h"

namespace efl::test {
namespace {

class RawPeerTest : public ListeningLeader {
 protected:
  void SetUp() override { Listen(); }

  void ExpectArrived(Arrival* arrival, const std::string& bytes) {
    EXPECT_EQ(arrival->ending.status().Text(), "OK");
    EXPECT_EQ(arrival->bytes, bytes);
  }
};

TEST_F(RawPeerTest, ShouldTakeATensorInWhateverOrderItsChunksCome) {
  Connect();
  Arrival arrival;
  leader.peer->ReceiveTensor("x", 5, arrival.allocate(), arrival.ending.call());
  const std::string bytes = Content(2 * kRawChunk + 4);
  const std::string first = bytes.substr(0, kRawChunk);
  const std::string second = bytes.substr(kRawChunk, kRawChunk);
  const std::string last = bytes.substr(2 * kRawChunk);
  LinkControl control;
  AddOpen(&control, 1, 5, 2 * kFloatsOfAChunk + 1);
  AddChunk(&control, 1, kRawChunk, second);
  AddChunk(&control, 1, 2 * kRawChunk, last);
  AddChunk(&control, 1, kRawChunk, second);  // once more
  AddChunk(&control, 1, 0, first);
  raw->Send(control, second + last + second + first);
  ExpectArrived(&arrival, bytes);
  EXPECT_EQ(raw->AwaitDone().code(), tensorflow::error::OK);
}

// A chunk that comes late, as over a slower connection, has more behind it than its sender may have
// on the way beside: that is told at once.
TEST_F(RawPeerTest, ShouldCreditWhatLiesBehindAChunkThatCameLate) {
  Connect();
  constexpr uint64_t kAhead = 240;  // of a window of 1,024, an eighth of which is told once
  const std::string bytes = Content((kAhead + 2) * kRawChunk);
  const auto send = [&](uint64_t first, uint64_t end, LinkControl control) {
    for (uint64_t i = first; i < end; ++i) {
      AddChunk(&control, 1, i * kRawChunk, bytes.substr(i * kRawChunk, kRawChunk));
    }
    raw->Send(control, bytes.substr(first * kRawChunk, (end - first) * kRawChunk));
  };
  LinkControl open;
  AddOpen(&open, 1, 0, (kAhead + 2) * kFloatsOfAChunk);
  send(1, kAhead + 1, open);
  send(0, 1, {});
  uint64_t credited = 0;
  while (credited < kAhead * kRawChunk) {
    const LinkControl said = raw->Receive();
    ASSERT_GT(said.message(), 0u) << "the stream has ended";
    for (const LinkFrame& frame : said.frames()) credited = frame.credit().received();
  }
  EXPECT_EQ(credited, (kAhead + 1) * kRawChunk);
}

// Who sends nothing hears all the same that much of what it was told is known.
TEST_F(RawPeerTest, ShouldSayThatItHasTakenWhatItHasNoAnswerTo) {
  Connect();
  constexpr uint64_t kCount = 20'000;
  LinkControl control;
  for (uint64_t i = 1; i <= kCount; ++i) control.add_frames()->mutable_call_cancel()->set_call(i);
  raw->Send(control);
  EXPECT_EQ(raw->Receive().received(), kCount);
}

TEST_F(RawPeerTest, ShouldNotAnswerAQuestionItDoesNotKnow) {
  Connect();
  LinkControl control;
  control.add_frames()->mutable_call()->set_call(1);
  raw->Send(control);
  for (;;) {
    const LinkControl said = raw->Receive();
    ASSERT_GT(said.message(), 0u) << "the stream has ended";
    if (said.frames_size() == 0 || !said.frames(0).has_reply()) continue;
    EXPECT_EQ(said.frames(0).reply().code(), tensorflow::error::UNIMPLEMENTED);
    return;
  }
}

TEST_F(RawPeerTest, ShouldGoOnFromWhereAConnectionBroke) {
  Arrival arrival;
  const std::string bytes = Content(kRawChunk + 4);
  Connect();
  leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  LinkControl control;
  AddOpen(&control, 1, 0, kFloatsOfAChunk + 1);
  AddChunk(&control, 1, 0, bytes.substr(0, kRawChunk));
  raw->Send(control, bytes.substr(0, kRawChunk));
  // By the time of an answer to something behind it, it has been taken.
  LinkControl unknown;
  AddOpen(&unknown, 2, 0, 0)->set_name("nobody");
  raw->Send(unknown);
  EXPECT_EQ(raw->AwaitDone().code(), tensorflow::error::NOT_FOUND);
  const LinkState state = Resume(/*received=*/1);
  EXPECT_EQ(state.received(), 2u);
  ASSERT_EQ(state.transfers_size(), 1);
  EXPECT_EQ(state.transfers(0).received(), kRawChunk);
  LinkControl rest;
  AddChunk(&rest, 1, kRawChunk, bytes.substr(kRawChunk));
  raw->Send(rest, bytes.substr(kRawChunk));
  ExpectArrived(&arrival, bytes);
}

TEST_F(RawPeerTest, ShouldRefuseTensorsThatCannotBeAndGoOn) {
  Connect();
  LinkControl control;
  LinkOpen* open = AddOpen(&control, 1, 0, 0);
  open->set_name("s");
  open->set_dtype(kString);
  open->clear_dims();
  open->set_size(~uint64_t{0});
  open->set_encoded_size(~uint64_t{0});
  AddOpen(&control, 2, 0, 4)->set_size(uint64_t{1} << 63);
  AddOpen(&control, 3, 0, 4)->set_encoding(static_cast<LinkEncoding>(77));
  AddOpen(&control, 4, 0, 4)->set_encoded_size(3);
  raw->Send(control);
  for (int i = 1; i <= 4; ++i) {
    LinkControl probe;
    AddOpen(&probe, static_cast<uint64_t>(4 + i), 0, 0)->set_name("nobody");
    raw->Send(probe);
  }
  // One message may say several.
  int unknown = 0;
  int not_found = 0;
  while (unknown + not_found < 8) {
    const LinkControl said = raw->Receive();
    ASSERT_TRUE(said.frames_size() > 0 || said.received() > 0) << "the stream has ended";
    for (const LinkFrame& frame : said.frames()) {
      unknown += frame.done().code() == tensorflow::error::UNKNOWN ? 1 : 0;
      not_found += frame.done().code() == tensorflow::error::NOT_FOUND ? 1 : 0;
    }
  }
  EXPECT_EQ(unknown, 4);
  EXPECT_EQ(not_found, 4);
}

// Frames are numbered by counting, so a message that gets lost would have others taken for its own.
TEST_F(RawPeerTest, ShouldDropAConnectionOnWhichAMessageGotLostAndKeepTheLink) {
  Connect();
  Arrival arrival;
  leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  raw->Skip();
  raw->Send(OneChunk(), chunk);
  EXPECT_EQ(raw->End().error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_EQ(Resume().received(), 0u);
  raw->Send(OneChunk(), chunk);
  ExpectArrived(&arrival, chunk);
}

TEST_F(RawPeerTest, ShouldDropAConnectionWhoseMessageIsDamagedAndKeepTheLink) {
  Connect();
  Arrival arrival;
  leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  raw->Send(OneChunk(), std::string(kRawChunk, 'X'));
  EXPECT_EQ(raw->End().error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(Resume().received(), 1u);
  LinkControl again;
  AddChunk(&again, 1, 0, chunk);
  raw->Send(again, chunk);
  ExpectArrived(&arrival, chunk);
}

struct Breach {
  const char* name;
  const char* said;
  void (*make)(LinkControl*);
};
void PrintTo(const Breach& breach, std::ostream* out) { *out << breach.name; }

constexpr const char* kOutside = "outside of its tensor";
constexpr const char* kOffGrid = "off its grid";
constexpr const char* kNoPlace = "no place there";
constexpr const char* kOk = "fails with OK";
constexpr const char* kDontGrow = "numbers of transfers don't grow";

// What begins a tensor of this many floats, and a chunk of it that says to be at this offset.
void Begin(LinkControl* control, uint64_t floats, uint64_t offset, size_t size = kRawChunk) {
  AddOpen(control, 1, 9, floats);
  AddChunk(control, 1, offset, Content(size));
}

const Breach kBreaches[] = {
    {"Outside", kOutside, [](LinkControl* c) { Begin(c, kFloatsOfAChunk, kRawChunk); }},
    {"LongerThanItsMessage", "longer than its message",
     [](LinkControl* c) {
       Begin(c, 2 * kFloatsOfAChunk, 0);
       AddChunk(c, 1, kRawChunk, Content(kRawChunk));
     }},
    {"TransferZero", kDontGrow, [](LinkControl* c) { AddOpen(c, 0, 9, 2); }},
    {"TransferTwice", kDontGrow,
     [](LinkControl* c) {
       AddOpen(c, 1, 9, 2);
       AddOpen(c, 1, 9, 2);
     }},
    {"TakenUnsent", "takes what wasn't sent", [](LinkControl* c) { c->set_received(1000); }},
    {"Welcome", kNoPlace, [](LinkControl* c) { c->add_frames()->mutable_welcome(); }},
    {"Hello", kNoPlace, [](LinkControl* c) { *c = RawPeer::Hello(42, true); }},
    {"Nothing", kNoPlace, [](LinkControl* c) { c->add_frames(); }},
    {"AbortThatIsOk", kOk,
     [](LinkControl* c) {
       AddOpen(c, 1, 9, 2);
       c->add_frames()->mutable_abort()->set_transfer(1);
     }},
    {"FailedThatIsOk", kOk,
     [](LinkControl* c) {
       c->add_frames()->mutable_failed()->set_name("x");
       c->mutable_frames(0)->mutable_failed()->set_step(9);
     }},
    {"OffGrid", kOffGrid, [](LinkControl* c) { Begin(c, 2 * kFloatsOfAChunk, 4); }},
    {"Short", kOffGrid, [](LinkControl* c) { Begin(c, 2 * kFloatsOfAChunk, 0, kRawChunk / 2); }},
    {"FarAway", kOffGrid,
     [](LinkControl* c) { Begin(c, 2 * kFloatsOfAChunk, ~uint64_t{kRawChunk - 1}); }},
};

class BreachTest : public ListeningLeader, public testing::WithParamInterface<Breach> {};

TEST_P(BreachTest, ShouldLoseTheLinkToAPeerThatBreaksTheProtocol) {
  Listen();
  Connect();
  Arrival waiting;
  leader.peer->ReceiveTensor("x", 9, waiting.allocate(), waiting.ending.call());
  LinkControl control;
  GetParam().make(&control);
  raw->Send(control, chunk);
  ExpectSaid(waiting.ending.status(), Code::kInternal, GetParam().said);
  const grpc::StatusCode code = raw->End().error_code();
  EXPECT_TRUE(code == grpc::StatusCode::INTERNAL || code == grpc::StatusCode::CANCELLED) << code;
}

INSTANTIATE_TEST_SUITE_P(Of, BreachTest, testing::ValuesIn(kBreaches),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace efl::test
