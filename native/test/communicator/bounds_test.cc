// Parties that flood, that never read, that announce what can't be: memory stays under its limits,
// and who is over one hears of it.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpc/grpc_status.h"
#include "support/files.h"
#include "support/listening_leader.h"
#include "support/pair.h"
#include "support/raw_listener.h"

namespace efl::test {
namespace {

class BoundsTest : public ListeningLeader {
 protected:
  RawPeer& Connect() {
    Listen();
    return ListeningLeader::Connect();
  }
  // Announces tensors, from this number on.
  void Announce(uint64_t first, uint64_t count, uint64_t floats, const char* name = "x") {
    for (uint64_t i = first; i < first + count;) {
      LinkControl control;
      for (int frames = 0; frames < 1000 && i < first + count; ++frames, ++i) {
        LinkOpen* open = AddOpen(&control, i, i, floats);
        open->set_name(name);
        open->set_await_consumption(true);
      }
      raw->Send(control);
    }
  }
  // What became of the next ones that were refused.
  std::vector<tensorflow::error::Code> Refusals(size_t count) {
    std::vector<tensorflow::error::Code> codes;
    while (codes.size() < count) {
      const LinkControl said = raw->Receive();
      if (said.frames_size() == 0 && said.received() == 0) break;
      for (const LinkFrame& frame : said.frames()) {
        if (frame.has_done()) codes.push_back(frame.done().code());
      }
    }
    return codes;
  }
};

TEST_F(BoundsTest, ShouldKeepNoMoreTensorsWithoutContentThanTheMailboxHasRoomFor) {
  leader.options.mailbox_bytes = 1 << 20;
  Connect();
  constexpr size_t kCount = 20'000, kMost = (1 << 20) / (1 << 10);
  Announce(1, kCount, 0);
  const auto refusals = Refusals(kCount - kMost);
  EXPECT_GE(refusals.size(), kCount - kMost);
  for (const auto code : refusals) EXPECT_EQ(code, tensorflow::error::RESOURCE_EXHAUSTED);
  const PeerStats stats = leader.peer->stats();
  EXPECT_LE(stats.parked_bytes, 1 << 20);
  EXPECT_LE(stats.parked_tensors, static_cast<int64_t>(kMost));
}

TEST_F(BoundsTest, ShouldKeepNoMoreAnnouncementsThanTheMailboxHasRoomFor) {
  leader.options.mailbox_bytes = 1 << 20;
  Connect();
  constexpr size_t kCount = 5'000, kMost = 1 << 10;
  Announce(1, kCount, uint64_t{1} << 30);  // of 4 GiB each
  const auto refusals = Refusals(kCount - kMost);
  EXPECT_EQ(refusals.size(), kCount - kMost);
  for (const auto code : refusals) EXPECT_EQ(code, tensorflow::error::RESOURCE_EXHAUSTED);
  EXPECT_LE(leader.peer->stats().parked_bytes, 1 << 20);
}

TEST_F(BoundsTest, ShouldRefuseATensorOverTheLimitAtBothEndsBeforeItHasAPlace) {
  leader.options.max_tensor_bytes = 1000;
  Connect();
  Arrival arrival;
  leader.peer->ReceiveTensor("x", 1, arrival.allocate(), arrival.ending.call());
  Announce(1, 1, 251);
  ExpectSaid(arrival.ending.status(), Code::kResourceExhausted, "EFL_MAX_TENSOR_BYTES");
  EXPECT_TRUE(arrival.bytes.empty());
  EXPECT_EQ(Refusals(1).front(), tensorflow::error::RESOURCE_EXHAUSTED);
}

TEST_F(BoundsTest, ShouldLoseAPeerThatNeverTakesItsAnswers) {
  Connect();
  Arrival arrival;
  leader.peer->ReceiveTensor("x", 1 << 30, arrival.allocate(), arrival.ending.call());
  Announce(1, (1 << 17) + 5000, 0, "nobody");
  ExpectSaid(arrival.ending.status(), Code::kInternal, "nothing of what was");
}

TEST_F(BoundsTest, ShouldCountTheChunksOfAParkedTensor) {
  leader.options.mailbox_bytes = 1 << 20;
  Connect();
  // 900 KiB of content in the shortest chunks take more to keep than the mailbox has: held back.
  LinkControl control;
  AddOpen(&control, 1, 0, 900 * kFloatsOfAChunk);
  AddChunk(&control, 1, 0, chunk);
  raw->Send(control, chunk);
  for (;;) {
    const LinkControl said = raw->Receive();
    ASSERT_TRUE(said.frames_size() > 0 || said.received() > 0);
    bool held = false;
    for (const LinkFrame& frame : said.frames()) held = held || frame.credit().held();
    if (held) break;
  }
  EXPECT_LE(leader.peer->stats().parked_bytes, 1 << 10);
}

TEST_F(BoundsTest, ShouldRefuseAnOperationMoreThanMayBePending) {
  leader.options.max_pending = 3;
  Connect();
  std::vector<Arrival> waiting(3);
  for (int i = 0; i < 3; ++i) {
    leader.peer->ReceiveTensor("x", i, waiting[i].allocate(), waiting[i].ending.call());
  }
  Arrival more;
  const std::vector<float> values{1};
  Ending sent;
  leader.peer->ReceiveTensor("x", 3, more.allocate(), more.ending.call());
  ExpectSaid(more.ending.status(), Code::kResourceExhausted, "EFL_MAX_PENDING");
  leader.peer->SendTensor(Floats("x", 0, values), sent.call());
  ExpectSaid(sent.status(), Code::kResourceExhausted, "EFL_MAX_PENDING");
  EXPECT_EQ(leader.peer->pending(), 3);
  leader.node->Close();
}

// Questions, and news of failed sends, while the peer is away.
TEST_F(BoundsTest, ShouldKeepNoMoreFramesForAPeerThanItMayHaveToTake) {
  leader.options.reconnect_timeout_ms = 600'000;
  leader.options.keepalive_interval_ms = 0;
  Connect();
  raw = nullptr;
  constexpr int kMost = 1 << 18;
  const auto ended = std::make_shared<std::atomic<int>>(0);
  for (int i = 0; i < kMost; ++i) {
    Peer::Call call;
    call.done = [ended](const Status&, const Outcome&) { ++*ended; };
    leader.peer->ReceiveReaderState("train", std::move(call));
  }
  EXPECT_EQ(*ended, 0);
  Ending refused, overdue;
  leader.peer->ReceiveReaderState("train", refused.call());
  ExpectSaid(refused.status(), Code::kResourceExhausted, "the peer has yet to take 262144 frames");
  const std::vector<float> values{1};
  leader.peer->SendTensor(Floats("x", 1, values), overdue.call(0, 1));
  EXPECT_EQ(overdue.status().code(), Code::kDeadlineExceeded);

  // All of the questions arrive, and nothing of the send.
  Resume();
  int asked = 0;
  while (asked < kMost) {
    const LinkControl said = raw->Receive();
    ASSERT_TRUE(said.frames_size() > 0 || said.received() > 0) << asked;
    for (const LinkFrame& frame : said.frames()) {
      ASSERT_FALSE(frame.has_failed());
      asked += frame.has_call() ? 1 : 0;
    }
  }
  // There is room again for what it has taken.
  LinkControl taken;
  taken.set_received(kMost);
  raw->Send(taken);
  EXPECT_TRUE(Eventually([&] {
    const auto full = std::make_shared<std::atomic<bool>>(false);
    Peer::Call call;
    call.done = [full](const Status& status, const Outcome&) {
      *full = status.code() == Code::kResourceExhausted;
    };
    leader.peer->ReceiveCheckpointVersion(std::move(call));
    return !*full;
  }));
  std::optional<LinkCall> next;
  while (!next) {
    const LinkControl said = raw->Receive();
    ASSERT_TRUE(said.frames_size() > 0 || said.received() > 0);
    for (const LinkFrame& frame : said.frames()) {
      if (frame.has_call()) next = frame.call();
    }
  }
  EXPECT_TRUE(next->checkpoint_version());
  leader.node->Close();
  EXPECT_EQ(*ended, kMost);
}

TEST_F(BoundsTest, ShouldKeepAThousandAndTwentyFourQuestionsOverALink) {
  Connect();
  LinkControl control;
  uint64_t call = 0;
  const auto ask = [&](const std::string& dataset) {
    LinkCall* question = control.add_frames()->mutable_call();
    question->set_call(++call);
    question->set_reader_state(dataset);
  };
  for (int i = 0; i < 16; ++i) {
    const std::string dataset = absl::StrCat("d", i);
    ASSERT_TRUE(leader.peer->RegisterDataset(dataset).ok());
    for (int k = 0; k < 64; ++k) ask(dataset);  // as many of a kind as there may be
  }
  ASSERT_TRUE(leader.peer->RegisterDataset("one more").ok());
  ask("one more");
  raw->Send(control);
  const LinkReply refused = raw->AwaitReply();
  EXPECT_EQ(refused.call(), 1025u);
  EXPECT_EQ(refused.code(), tensorflow::error::RESOURCE_EXHAUSTED);
  EXPECT_EQ(refused.msg(), "too many questions wait for an answer");
  // One that is answered makes room.
  Ending answered, next;
  leader.peer->SendReaderState("d0", "block", 7, answered.call());
  EXPECT_EQ(raw->AwaitReply().call(), 1u);
  control.Clear();
  ask("one more");
  raw->Send(control);
  leader.peer->SendReaderState("one more", "block", 7, next.call());
  const LinkReply reply = raw->AwaitReply();
  EXPECT_EQ(reply.call(), 1026u);
  EXPECT_EQ(reply.code(), tensorflow::error::OK);
  leader.node->Close();
}

TEST_F(BoundsTest, ShouldEndAStreamThatStaysSilent) {
  Connect();
  RawPeer silent(leader.node->port());
  ExpectSaid(FromGrpc(silent.End()), Code::kDeadlineExceeded,
             "the handshake of the link took too long");
  Arrival arrival;
  leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  raw->Send(OneChunk(), chunk);
  EXPECT_EQ(arrival.ending.status().Text(), "OK");
}

TEST_F(BoundsTest, ShouldLetNoMoreCallsInAtOnceThanAConnectionMayHave) {
  leader.options.max_streams = 1;
  Listen();
  const auto channel = grpc::CreateChannel(absl::StrCat("127.0.0.1:", leader.node->port()),
                                           grpc::InsecureChannelCredentials());
  raw = std::make_unique<RawPeer>(channel);
  raw->Send(RawPeer::Hello());
  EXPECT_EQ(raw->AwaitWelcome().terms().chunk_bytes(), kRawChunk);
  auto next = std::async(std::launch::async, [&] {
    RawPeer later(channel);
    later.Send(RawPeer::Hello(42, true));
    return later.AwaitWelcome();
  });
  EXPECT_EQ(next.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  raw = nullptr;
  EXPECT_EQ(next.get().terms().chunk_bytes(), kRawChunk);
  EXPECT_EQ(connected.status().Text(), "OK");
  leader.node->Close();
}

// A pair within it doesn't feel the limit of gRPC's buffers.
TEST(BackPressureTest, ShouldWorkWithLittleMemoryForWhatArrives) {
  Pair pair;
  for (Party* party : {&pair.leader, &pair.follower}) {
    party->options.wire = WireChoice::kLink;
    party->options.server_memory_bytes = 64 << 20;
    party->options.mailbox_bytes = 8 << 20;
    party->options.window_bytes = 8 << 20;
    party->options.keepalive_interval_ms = 0;  // nobody is taken for dead on a busy machine
  }
  pair.Connect();
  const std::vector<float> values(4 << 20, 1.0f);  // 16 MiB
  for (int i = 0; i < 20; ++i) {
    Arrival arrival;
    Ending sent;
    pair.follower.peer->SendTensor(Floats("x", i, values), sent.call());
    pair.leader.peer->ReceiveTensor("x", i, arrival.allocate(), arrival.ending.call());
    ASSERT_EQ(arrival.ending.status().Text(), "OK");
    ASSERT_EQ(sent.status().Text(), "OK");
    ASSERT_EQ(arrival.bytes, BytesOf(values));
  }
  EXPECT_EQ(pair.leader.peer->stats().reconnects, 0);
}

// The receiver never asks: what is beyond its mailbox waits at the sender, in the sender's memory.
TEST(BackPressureTest, ShouldKeepAFloodAtItsSender) {
  Pair pair;
  for (Party* party : {&pair.leader, &pair.follower}) {
    party->options.wire = WireChoice::kLink;
    party->options.send_completion = SendCompletion::kAccepted;
    party->options.mailbox_bytes = 8 << 20;
    party->options.window_bytes = 4 << 20;
  }
  pair.Connect();
  const std::vector<float> values(1 << 18, 1.0f);  // 1 MiB
  constexpr int kCount = 500;
  std::vector<Ending> sent(kCount);
  for (int i = 0; i < kCount; ++i) {
    pair.follower.peer->SendTensor(Floats("x", i, values), sent[i].call());
  }
  // Nothing moves any more when a tensor sent later, which has a receive, has come through.
  ASSERT_TRUE(pair.leader.peer->RegisterTensor("y", kFloat, std::nullopt).ok());
  Arrival other;
  Ending other_sent;
  pair.leader.peer->ReceiveTensor("y", 0, other.allocate(), other.ending.call());
  pair.follower.peer->SendTensor(Floats("y", 0, values), other_sent.call());
  EXPECT_EQ(other.ending.status().Text(), "OK");
  EXPECT_LE(pair.leader.peer->stats().parked_bytes, 8 << 20);
  EXPECT_LE(pair.follower.peer->stats().in_flight_bytes, 4 << 20);
  EXPECT_GE(pair.follower.peer->pending(), kCount - 8);
  for (int i = 0; i < kCount; ++i) {
    Arrival arrival;
    pair.leader.peer->ReceiveTensor("x", i, arrival.allocate(), arrival.ending.call());
    EXPECT_EQ(arrival.ending.status().Text(), "OK");
    EXPECT_EQ(sent[i].status().Text(), "OK");
  }
}

// Over the trainer wire they are calls, which are made again when they fail.
TEST(BoundsOfNewsTest, ShouldTellOfNoMoreFailedSendsAtOnceThanMayBeUnderWay) {
  constexpr size_t kMost = 1024, kTooMany = 1100;
  Folder folder;
  folder.Write("policy.json", R"({"version": 1, "default": "deny", "rules": []})");
  std::mutex mutex;
  std::set<uint64_t> told;
  const auto told_of = [&] {
    std::lock_guard<std::mutex> lock(mutex);
    return told.size();
  };
  RawListener listener(false);
  listener.set_reset([&](const ResetRequest& request) {
    std::lock_guard<std::mutex> lock(mutex);
    told.insert(request.step());
    return grpc::Status::OK;
  });
  faults::FaultProxy proxy(listener.port());
  Party follower{Role::kFollower};
  follower.options.wire = WireChoice::kTrainer;
  follower.options.keepalive_interval_ms = 0;
  follower.options.egress_policy = folder / "policy.json";
  ASSERT_EQ(follower.Open().Text(), "OK");
  ASSERT_EQ(follower.Meet(proxy.port()).Text(), "OK");
  ASSERT_TRUE(follower.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
  Ending connected;
  follower.peer->Connect(connected.call());
  ASSERT_EQ(connected.status().Text(), "OK");

  const std::vector<float> values{1};
  const auto deny = [&](int64_t step) {
    Ending denied;
    follower.peer->SendTensor(Floats("x", step, values), denied.call());
    EXPECT_EQ(denied.status().code(), Code::kPermissionDenied) << denied.status().Text();
  };
  // What is told is given up after nine attempts of 5 s: the sends below have to be through by
  // then.
  proxy.Suffer(faults::Fault::Kind::kSwallow);
  for (size_t step = 1; step <= kTooMany; ++step) deny(static_cast<int64_t>(step));
  EXPECT_EQ(told_of(), 0u);
  proxy.Heal();
  proxy.Break();
  ASSERT_TRUE(Eventually([&] { return told_of() == kMost; }));
  // When these have got through there is room for more.
  int64_t more = kTooMany;
  EXPECT_TRUE(Eventually([&] {
    deny(++more);
    return told_of() > kMost;
  }));
  std::lock_guard<std::mutex> lock(mutex);
  for (size_t step = 1; step <= kTooMany; ++step) {
    EXPECT_EQ(told.count(step), step <= kMost ? 1u : 0u) << step;
  }
}

}  // namespace
}  // namespace efl::test
