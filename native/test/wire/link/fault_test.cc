// Transfers of all sizes, both ways at once, over connections that break in every way and all the
// time: each arrives whole and once, and nothing hangs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "support/certificates.h"
#include "support/pair.h"
#include "support/resident_bytes.h"

namespace efl::test {
namespace {

using faults::FaultSchedule;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
constexpr int kTransfers = 400;
constexpr uint64_t kCuts = 40;
#else
constexpr bool kSanitized = false;
constexpr int kTransfers = 2500;
constexpr uint64_t kCuts = 250;
#endif

constexpr size_t kInFlight = 48;
constexpr int kNames = 40;  // fewer than what is in flight: some names have two on the way
constexpr size_t kLag = 8;
constexpr size_t kMostFloats = 1 << 20;
// More than what a socket holds that its reader hasn't seen.
constexpr uint64_t kUsefulBytes = 1 << 20;

std::string NameOf(int64_t transfer) { return absl::StrCat("t", transfer % kNames); }

// What every tensor is a part of: floats that bfloat16 keeps as they are.
const std::vector<float>& Pool() {
  static const std::vector<float>& pool = *[] {
    std::minstd_rand random(1);
    auto* made = new std::vector<float>(kMostFloats + 4096);
    for (float& value : *made) {
      const uint32_t bits = random() << 16 & 0x7f7fffffU;
      std::memcpy(&value, &bits, sizeof(value));
    }
    return made;
  }();
  return pool;
}

// One tensor: sent here, received there.
struct Transfer {
  int64_t id = 0;
  size_t begin = 0;
  size_t count = 0;
  Ending sent;
  Arrival arrival;

  Transfer(int64_t number, std::minstd_rand* random)
      : id(number), begin((*random)() % 4096), count(SomeSize(random)) {}

  // Nothing, a little, or, rarely, several chunks.
  static size_t SomeSize(std::minstd_rand* random) {
    const auto kind = (*random)() % 100;
    const size_t most = kind < 10   ? 1
                        : kind < 60 ? 256
                        : kind < 90 ? 16'384
                        : kind < 99 ? 131'072
                                    : kMostFloats;
    return (*random)() % most;
  }

  void Send(Peer* from) {
    OutgoingTensor tensor;
    const size_t size = count * sizeof(float);
    tensor.info = {NameOf(id), id, kFloat, {static_cast<int64_t>(count)}, size};
    tensor.payload = {Pool().data() + begin, size, nullptr, nullptr};
    from->SendTensor(std::move(tensor), sent.call());
  }
  void Receive(Peer* to) {
    to->ReceiveTensor(NameOf(id), id, arrival.allocate(), arrival.ending.call());
  }
  void Verify() {
    ASSERT_EQ(arrival.ending.status().Text(), "OK");
    ASSERT_EQ(sent.status().Text(), "OK");
    ASSERT_EQ(arrival.bytes.size(), count * sizeof(float)) << id;
    ASSERT_EQ(std::memcmp(arrival.bytes.data(), Pool().data() + begin, arrival.bytes.size()), 0)
        << "transfer " << id << " has other content";
  }
};

// One direction. Sends and receives are posted in order, either a little ahead of the other.
class Lane {
 public:
  Lane(Peer* from, Peer* to, uint32_t seed) : from_(from), to_(to), random_(seed) {}

  void Run(const std::function<bool(int64_t)>& goes_on) {
    for (int64_t i = 0; goes_on(i) && !testing::Test::HasFatalFailure(); ++i) {
      under_way_.push_back(std::make_unique<Transfer>(i, &random_));
      unsent_.push_back(under_way_.back().get());
      unasked_.push_back(under_way_.back().get());
      Post(random_() % kLag, random_() % kLag);
      if (under_way_.size() >= kInFlight) End();
    }
    Post(0, 0);
    while (!under_way_.empty()) End();
  }
  int64_t done() const { return done_; }

 private:
  void Post(size_t unsent, size_t unasked) {
    for (; unsent_.size() > unsent; unsent_.pop_front()) unsent_.front()->Send(from_);
    for (; unasked_.size() > unasked; unasked_.pop_front()) unasked_.front()->Receive(to_);
  }
  void End() {
    under_way_.front()->Verify();
    under_way_.pop_front();
    ++done_;
  }

  Peer* const from_;
  Peer* const to_;
  std::minstd_rand random_;
  std::deque<std::unique_ptr<Transfer>> under_way_;
  std::deque<Transfer*> unsent_, unasked_;
  int64_t done_ = 0;
};

class FaultTest : public testing::Test {
 protected:
  FaultTest() {
    const char* given = std::getenv("EFL_TEST_SEED");
    seed = faults::SeedFrom(given != nullptr ? given : "");
    Both([](Options* options) {
      options->wire = WireChoice::kLink;
      options->send_completion = SendCompletion::kAccepted;
      options->chunk_bytes = 64 << 10;
      options->window_bytes = 4 << 20;
      options->reconnect_timeout_ms = 30'000;
    });
  }
  // Options of both.
  template <typename Set>
  void Both(Set set) {
    set(&pair.leader.options);
    set(&pair.follower.options);
  }

  // Half of the transfers each way, and more until there were enough cuts.
  void Storm(FaultSchedule::Mix mix) {
    SCOPED_TRACE(absl::StrCat("EFL_TEST_SEED=", seed));
    pair.ConnectThroughProxies();
    if (HasFatalFailure()) return;
    for (Party* party : {&pair.leader, &pair.follower}) {
      for (int i = 0; i < kNames; ++i) {
        ASSERT_TRUE(party->peer->RegisterTensor(NameOf(i), kFloat, std::nullopt).ok());
      }
    }
    faults::FaultProxy& proxy = *pair.to_leader;
    mix.useful_bytes = kUsefulBytes;
    proxy.Play(FaultSchedule(seed, mix));
    const auto goes_on = [&proxy](int64_t i) { return i < kTransfers / 2 || proxy.cuts() < kCuts; };
    Lane there(pair.follower.peer.get(), pair.leader.peer.get(), static_cast<uint32_t>(seed));
    Lane back(pair.leader.peer.get(), pair.follower.peer.get(), static_cast<uint32_t>(seed + 1));
    std::thread other([&] { back.Run(goes_on); });
    there.Run(goes_on);
    other.join();
    proxy.StopPlaying();
    ExpectNothingLeft();
    std::printf("seed %llu: %lld transfers under %llu cuts (%s)\n",
                static_cast<unsigned long long>(seed),
                static_cast<long long>(there.done() + back.done()),
                static_cast<unsigned long long>(proxy.cuts()), proxy.Summary().c_str());
  }

  // A tensor that had come twice would be in the way of the next one of its name.
  void ExpectNothingLeft() {
    EXPECT_EQ(pair.leader.peer->pending(), 0);
    EXPECT_EQ(pair.follower.peer->pending(), 0);
    std::minstd_rand random(1);
    for (const bool there : {true, false}) {
      Peer* const from = (there ? pair.follower : pair.leader).peer.get();
      Peer* const to = (there ? pair.leader : pair.follower).peer.get();
      for (int i = 0; i < kNames; ++i) {
        Transfer last(kNames * int64_t{1'000'000} + i, &random);
        last.Receive(to);
        last.Send(from);
        last.Verify();
      }
    }
  }

  uint64_t seed = 0;
  Pair pair;
};

TEST_F(FaultTest, ShouldDeliverEachTensorOnceOverPlaintextThatIsCutAndDamaged) {
  FaultSchedule::Mix mix;
  mix.corrupt = 3;
  Storm(mix);
}

TEST_F(FaultTest, ShouldDeliverEachTensorOnceWhenSendsWaitForItsConsumptionAndEncodingsApply) {
  Both([](Options* options) {
    options->send_completion = SendCompletion::kConsumed;
    EXPECT_TRUE(EncodingRules::Parse("t?=zstd,t1?=bfloat16", &options->encodings).ok());
    options->chunk_bytes = 4 << 10;
    options->mailbox_bytes = 1 << 20;
  });
  Storm({});
}

TEST_F(FaultTest, ShouldDeliverEachTensorOnceOverSeveralConnections) {
  Both([](Options* options) {
    options->connections = 3;
    options->window_bytes = 1 << 20;
  });
  Storm({});
}

TEST_F(FaultTest, ShouldDeliverEachTensorOnceOverTls) {
  Certificates certificates;
  certificates.Make("leader");
  certificates.Make("follower");
  pair.leader.options.tls = certificates.Tls("leader");
  pair.follower.options.tls = certificates.Tls("follower");
  FaultSchedule::Mix mix;
  mix.corrupt = 3;
  Storm(mix);
}

// Sends that end before the peer has heard of them leave the others as they are.
TEST_F(FaultTest, ShouldGoOnAfterSendsThatWereGivenUpBeforeTheyBegan) {
  Both([](Options* options) { options->window_bytes = 1 << 20; });
  pair.ConnectThroughProxies();
  constexpr int kTensors = 24;
  const auto stall = [&](int64_t ms) {
    pair.to_leader->Do({faults::Fault::Kind::kStall, faults::Fault::Direction::kThere, ms, 0});
  };
  stall(60'000);
  // The first fills the window, so that none of the others begins.
  const std::vector<float> fills(1 << 20, 0.5F);
  const std::vector<float> values(100'000, 1.5F);
  std::vector<Ending> sent(kTensors);
  for (int i = 0; i < kTensors; ++i) {
    const bool kept = i % 3 == 0;
    pair.follower.peer->SendTensor(Floats("x", i, i == 0 ? fills : values),
                                   sent[i].call(kept ? 0 : 7));
  }
  pair.follower.peer->FailGroup(7, "enough");
  stall(0);
  for (int i = 0; i < kTensors; ++i) {
    const bool kept = i % 3 == 0;
    Arrival arrival;
    pair.leader.peer->ReceiveTensor("x", i, arrival.allocate(), arrival.ending.call());
    if (kept) {
      ASSERT_EQ(arrival.ending.status().Text(), "OK") << i;
    } else {
      EXPECT_EQ(arrival.ending.status().code(), Code::kAborted) << i;
    }
    EXPECT_EQ(sent[i].status().code(), kept ? Code::kOk : Code::kAborted) << i;
  }
}

// A peer that was frozen, for all that its sender can tell, and goes on after the sender's timeout.
TEST_F(FaultTest, ShouldNotHandOutWhatItsSenderHasGivenUp) {
  Both([](Options* options) { options->send_completion = SendCompletion::kConsumed; });
  pair.ConnectThroughProxies();
  ASSERT_TRUE(pair.leader.peer->RegisterTensor("y", kFloat, std::nullopt).ok());
  const std::vector<float> values{1, 2};
  pair.to_leader->Do({faults::Fault::Kind::kStall, faults::Fault::Direction::kBoth, 400, 0});
  Ending given_up, sent;
  pair.follower.peer->SendTensor(Floats("x", 0, values), given_up.call(0, 100));
  EXPECT_EQ(given_up.status().code(), Code::kDeadlineExceeded);
  // Comes after the news, in line.
  Arrival y, x;
  pair.follower.peer->SendTensor(Floats("y", 0, values), sent.call());
  pair.leader.peer->ReceiveTensor("y", 0, y.allocate(), y.ending.call());
  EXPECT_EQ(y.ending.status().Text(), "OK");
  pair.leader.peer->ReceiveTensor("x", 0, x.allocate(), x.ending.call());
  EXPECT_EQ(x.ending.status().code(), Code::kDeadlineExceeded) << x.ending.status().Text();
  EXPECT_TRUE(x.bytes.empty());
}

// The sender is held back as soon as the receiver's mailbox is full, however much it has to say.
TEST_F(FaultTest, ShouldBoundMemoryWhenTheReceiverIsSlow) {
  constexpr size_t kMailbox = 4 << 20;
  constexpr size_t kCount = 64 << 10;  // floats
  constexpr size_t kBytes = kCount * sizeof(float);
  constexpr int kTensors = 1000;
  constexpr int kAhead = 200;
  Both([](Options* options) { options->mailbox_bytes = kMailbox; });
  pair.ConnectThroughProxies();
  Exchange(&pair);
  const int64_t before = ResidentBytes();
  std::vector<Ending> sent(kTensors);
  std::atomic<int> accepted{0};
  const auto send = [&](int i) {
    OutgoingTensor tensor;
    tensor.info = {"x", i, kFloat, {kCount}, kBytes};
    tensor.payload = {Pool().data() + i, kBytes, nullptr, nullptr};
    Peer::Call call = sent[static_cast<size_t>(i)].call();
    call.done = [&accepted, done = std::move(call.done)](const Status& status,
                                                         const Outcome& outcome) {
      ++accepted;
      done(status, outcome);
    };
    pair.follower.peer->SendTensor(std::move(tensor), std::move(call));
  };
  for (int i = 0; i < kAhead; ++i) send(i);
  int64_t most = 0;
  for (int i = 0; i < kTensors; ++i) {
    // At no time more than fits.
    EXPECT_LE(accepted, i + static_cast<int>(kMailbox / kBytes));
    if (i + kAhead < kTensors) send(i + kAhead);
    if (i % 100 == 50) pair.to_leader->Break();
    Arrival arrival;
    pair.leader.peer->ReceiveTensor("x", i, arrival.allocate(), arrival.ending.call());
    ASSERT_EQ(arrival.ending.status().Text(), "OK") << i;
    ASSERT_EQ(std::memcmp(arrival.bytes.data(), Pool().data() + i, kBytes), 0) << i;
    most = std::max(most, ResidentBytes());
  }
  for (Ending& one : sent) EXPECT_EQ(one.status().Text(), "OK");
  if (!kSanitized) {
    EXPECT_LE(most, before + (48 << 20)) << (most - before) / (1 << 20) << " MiB more";
  }
}

}  // namespace
}  // namespace efl::test
