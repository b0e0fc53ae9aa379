// Certificates, keys and lists that are replaced while two parties train.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpc/client.h"
#include "grpc/credentials.h"
#include "support/certificates.h"
#include "support/log_lines.h"
#include "support/pair.h"
#include "support/raw_listener.h"
#include "support/state_log.h"

namespace efl::test {
namespace {

constexpr const char* kTaken = "TLS: the files have changed";
// By docs/security.md.
constexpr std::chrono::seconds kPromised{5};

class RotationTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"leader", "follower"}) {
      certificates.Make(name);
      // What will replace it: the same name, another key.
      certificates.Make(absl::StrCat("next-", name), {"ca", name});
    }
    certificates.Allow("of-leader", {certificates.Fingerprint("follower")});
    certificates.Allow("of-follower", {certificates.Fingerprint("leader")});
    pair.leader.options.tls = certificates.Tls("leader");
    pair.follower.options.tls = certificates.Tls("follower");
    pair.leader.options.tls.allowed_fingerprints_file = certificates.path("of-leader");
    pair.follower.options.tls.allowed_fingerprints_file = certificates.path("of-follower");
  }

  // A connection of its own: which certificate the server presents to it.
  std::string Presented(const Party& server, const Party& client) {
    Status status;
    const TlsFilesPtr files = TlsFiles::Load(client.options.tls, &status);
    EXPECT_EQ(status.Text(), "OK");
    ClientOptions options;
    options.address = absl::StrCat("127.0.0.1:", server.node->port());
    options.max_send_message_size = options.max_receive_message_size = 1 << 20;
    StreamQueue streams;
    std::string fingerprint;
    Ending ending;
    Client other(
        options, files,
        [&](const PeerCertificatePtr& cert) {
          fingerprint = cert->fingerprint;
          return Status();
        },
        &streams.queue);
    other.Call("/efl.PairService/Hello", {}, 20'000,
               [done = ending.done()](const grpc::Status&, grpc::ByteBuffer*) { done({}, {}); });
    ending.Wait();
    other.Close();
    return fingerprint;
  }

  void BreakAll() {
    pair.to_leader->Break();
    pair.to_follower->Break();
  }

  Certificates certificates;
  Pair pair;
};

TEST_F(RotationTest, ShouldTakeReplacedCertificatesWithoutLosingTheConnection) {
  LogLines lines;
  // A slow machine would be one more reason for a connection to break.
  pair.leader.options.keepalive_interval_ms = pair.follower.options.keepalive_interval_ms = 0;
  pair.ConnectThroughProxies();
  Exchange(&pair);
  EXPECT_EQ(Presented(pair.leader, pair.follower), certificates.Fingerprint("leader"));
  const std::string old_leader = certificates.Fingerprint("leader");
  const std::string old_follower = certificates.Fingerprint("follower");
  certificates.Allow("of-leader", {old_follower, certificates.Fingerprint("next-follower")});
  certificates.Allow("of-follower", {old_leader, certificates.Fingerprint("next-leader")});
  certificates.Replace("leader", "next-leader");
  certificates.Replace("follower", "next-follower");
  lines.Await(kTaken, 2);
  while (Presented(pair.leader, pair.follower) == old_leader ||
         Presented(pair.follower, pair.leader) == old_follower) {
  }
  EXPECT_EQ(Presented(pair.leader, pair.follower), certificates.Fingerprint("next-leader"));
  EXPECT_EQ(Presented(pair.follower, pair.leader), certificates.Fingerprint("next-follower"));
  Exchange(&pair);
  EXPECT_EQ(lines.Count("the connection broke"), 0);
  EXPECT_EQ(lines.Count("ended"), 0);

  // The old ones are taken off the lists: the new ones are what carries the pair on.
  const int taken = lines.Count(kTaken);
  certificates.Allow("of-leader", {certificates.Fingerprint("next-follower")});
  certificates.Allow("of-follower", {certificates.Fingerprint("next-leader")});
  lines.Await(kTaken, taken + 2);
  Exchange(&pair);
}

TEST_F(RotationTest, ShouldKeepWhatFitsWhileFilesAreHalfWritten) {
  pair.leader.options.tls.allowed_fingerprints_file = "";
  pair.follower.options.tls.allowed_fingerprints_file = "";
  LogLines lines;
  pair.ConnectThroughProxies();
  const std::string old_leader = certificates.Fingerprint("leader");
  certificates.Replace("leader", "next-leader", ".crt");
  lines.Await("leader.key' is not the key of the certificate in");
  lines.Await("the last files that fit together stay in use");
  EXPECT_EQ(Presented(pair.leader, pair.follower), old_leader);
  certificates.Write("leader.crt", certificates.Read("next-leader.crt").substr(0, 200));
  lines.Await("leader.crt' holds no PEM certificate");
  EXPECT_EQ(Presented(pair.leader, pair.follower), old_leader);
  Exchange(&pair);
  EXPECT_EQ(lines.Count(kTaken), 0);
  certificates.Replace("leader", "next-leader");
  lines.Await(kTaken);
  EXPECT_EQ(Presented(pair.leader, pair.follower), certificates.Fingerprint("next-leader"));
  Exchange(&pair);
}

// The leader lists the follower no more.
TEST_F(RotationTest, ShouldEndTheConnectionsOfACallerThatIsTakenOffTheList) {
  pair.follower.options.reconnect_timeout_ms = pair.leader.options.reconnect_timeout_ms = 60'000;
  pair.Connect();
  Exchange(&pair);
  Arrival at_leader, at_follower;
  pair.leader.peer->ReceiveTensor("x", 7, at_leader.allocate(), at_leader.ending.call());
  pair.follower.peer->ReceiveTensor("x", 8, at_follower.allocate(), at_follower.ending.call());
  // The list stands while the certificates can't be used.
  certificates.Write("leader.key", "");
  const auto taken_off = std::chrono::steady_clock::now();
  certificates.Allow("of-leader", {});
  const std::string why = absl::StrCat(certificates.Fingerprint("follower"),
                                       " is not on the list of allowed fingerprints");
  ExpectSaid(at_leader.ending.status(), Code::kUnauthenticated, why);
  // Over the trainer wire by a Goodbye.
  const bool link = pair.leader.options.wire == WireChoice::kLink;
  ExpectSaid(at_follower.ending.status(), link ? Code::kUnauthenticated : Code::kUnavailable, why);
  ExpectWithin(kPromised, taken_off);
}

// The follower, which dials the link, lists the leader no more.
TEST_F(RotationTest, ShouldEndTheConnectionsToAServerThatIsTakenOffTheList) {
  pair.follower.options.reconnect_timeout_ms = 60'000;
  pair.leader.options.reconnect_timeout_ms = 1000;
  pair.Connect();
  Exchange(&pair);
  Arrival at_leader, at_follower;
  pair.leader.peer->ReceiveTensor("x", 7, at_leader.allocate(), at_leader.ending.call());
  pair.follower.peer->ReceiveTensor("x", 8, at_follower.allocate(), at_follower.ending.call());
  const auto taken_off = std::chrono::steady_clock::now();
  certificates.Allow("of-follower", {});
  const std::string why = absl::StrCat(certificates.Fingerprint("leader"),
                                       " is not on the list of allowed fingerprints");
  ExpectSaid(at_follower.ending.status(), Code::kUnauthenticated, why);
  ExpectWithin(kPromised, taken_off);
  const Code learnt = at_leader.ending.status().code();
  EXPECT_TRUE(learnt == Code::kUnauthenticated || learnt == Code::kUnavailable)
      << at_leader.ending.status().Text();
}

// Listed and taken off in one, while the peer replaces it: the parties don't take that at once.
TEST_F(RotationTest, ShouldLeaveNobodyWaitingWhenTheCertificateInUseIsTakenOff) {
  LogLines lines;
  pair.UseTrainer();
  pair.Connect();
  Exchange(&pair);
  Arrival at_leader, at_follower;
  pair.leader.peer->ReceiveTensor("x", 7, at_leader.allocate(), at_leader.ending.call());
  pair.follower.peer->ReceiveTensor("x", 8, at_follower.allocate(), at_follower.ending.call());
  const std::string old = certificates.Fingerprint("follower");
  certificates.Replace("follower", "next-follower");
  certificates.Allow("of-leader", {certificates.Fingerprint("next-follower")});
  ExpectSaid(at_leader.ending.status(), Code::kUnauthenticated,
             absl::StrCat(old, " is not on the list of allowed fingerprints"));
  const Code learnt = at_follower.ending.status().code();
  EXPECT_TRUE(learnt == Code::kUnauthenticated || learnt == Code::kUnavailable)
      << at_follower.ending.status().Text();
  // They find each other again when both have taken what was replaced.
  lines.Await(kTaken, 2);
  pair.ConnectPeers();
  Exchange(&pair);
}

TEST_F(RotationTest, ShouldLetAPartyBackInThatIsOnTheListAgain) {
  LogLines lines;
  pair.Connect();
  Arrival lost;
  pair.leader.peer->ReceiveTensor("x", 7, lost.allocate(), lost.ending.call());
  Arrival lost_too;
  pair.follower.peer->ReceiveTensor("x", 7, lost_too.allocate(), lost_too.ending.call());
  certificates.Allow("of-leader", {});
  EXPECT_EQ(lost.ending.status().code(), Code::kUnauthenticated) << lost.ending.status().Text();
  EXPECT_FALSE(lost_too.ending.status().ok());
  lines.Await(kTaken, 1);
  certificates.Allow("of-leader", {certificates.Fingerprint("follower")});
  lines.Await(kTaken, 2);
  pair.ConnectPeers();
  Exchange(&pair);
}

// The connection has fallen for another reason; the list changes before the peer comes back.
TEST_F(RotationTest, ShouldSayThatAPeerThatWasAwayIsOnTheListNoMore) {
  LogLines lines;
  pair.ConnectThroughProxies();
  Exchange(&pair);
  Arrival lost;
  pair.leader.peer->ReceiveTensor("x", 7, lost.allocate(), lost.ending.call());
  for (auto* proxy : {pair.to_leader.get(), pair.to_follower.get()}) {
    proxy->Suffer(faults::Fault::Kind::kReset);
  }
  certificates.Allow("of-leader", {});
  lines.Await(kTaken);
  for (auto* proxy : {pair.to_leader.get(), pair.to_follower.get()}) proxy->Heal();
  ExpectSaid(lost.ending.status(), Code::kUnauthenticated,
             absl::StrCat(certificates.Fingerprint("follower"),
                          " is not on the list of allowed fingerprints"));
}

// A leader that has another certificate by now, and is slow: what was wrong with the connection
// that began before says nothing of the next.
class SlowLeaderRotationTest : public RotationTest {
 protected:
  // `slow`: whether it has come to what it is slow with.
  void Connect(RawListener* listener, const TlsFilesPtr& files, const std::function<bool()>& slow) {
    LogLines lines;
    certificates.Allow("of-follower", {certificates.Fingerprint("leader"),
                                       certificates.Fingerprint("next-leader")});
    Party& follower = pair.follower;
    ASSERT_EQ(follower.Open().Text(), "OK");
    ASSERT_EQ(follower.Meet(listener->port()).Text(), "OK");
    Ending connected;
    follower.peer->Connect(connected.call());
    ASSERT_TRUE(Eventually(slow));
    certificates.Replace("leader", "next-leader");
    ASSERT_TRUE(Eventually([&] { return files->Refresh(); }));
    certificates.Allow("of-follower", {certificates.Fingerprint("next-leader")});
    lines.Await(kTaken);
    EXPECT_EQ(connected.status().Text(), "OK");
    follower.node->Close();
  }

  TlsFilesPtr Files() {
    Status status;
    TlsFilesPtr files = TlsFiles::Load(certificates.Tls("leader"), &status);
    EXPECT_EQ(status.Text(), "OK");
    return files;
  }

  static grpc::Status LetIn(RawListener::Stream* stream) {
    RawListener::LetIn(stream);
    return RawListener::Listen(stream);
  }
};

TEST_F(SlowLeaderRotationTest, ShouldConnectWhereACertificateIsTakenOffDuringTheHandshake) {
  const TlsFilesPtr files = Files();
  const auto credentials = ServerCredentialsOf(files);
  RawListener listener(/*speaks_link=*/true, credentials);
  pair.follower.options.wire = WireChoice::kLink;
  listener.set_exchange(RawListener::Listen);
  const auto slow = [&] {
    if (listener.exchanges() == 0) return false;
    listener.set_exchange(LetIn);
    return true;
  };
  Connect(&listener, files, slow);
  EXPECT_GT(listener.exchanges(), 1);
}

TEST_F(SlowLeaderRotationTest, ShouldConnectWhereACertificateIsTakenOffDuringTheHello) {
  for (const bool over_link : {true, false}) {
    SCOPED_TRACE(over_link ? "link" : "trainer");
    certificates.Make("leader");
    const TlsFilesPtr files = Files();
    const auto credentials = ServerCredentialsOf(files);
    std::atomic<int> hellos{0};
    std::promise<void> answers;
    const auto may_answer = answers.get_future().share();
    RawListener listener(over_link, credentials);
    pair.follower.options.wire = over_link ? WireChoice::kLink : WireChoice::kTrainer;
    listener.set_exchange(LetIn);
    listener.set_hello([&] {
      if (hellos++ == 0) may_answer.wait_for(kLimit);
      return grpc::Status::OK;
    });
    Connect(&listener, files, [&] { return hellos > 0; });
    EXPECT_GT(hellos, 1);
    answers.set_value();
  }
}

TEST_F(SlowLeaderRotationTest, ShouldConnectWhereACertificateIsTakenOffDuringTheConnect) {
  const TlsFilesPtr files = Files();
  const auto credentials = ServerCredentialsOf(files);
  std::atomic<int> connects{0};
  std::promise<void> answers;
  const auto may_answer = answers.get_future().share();
  RawListener listener(/*speaks_link=*/false, credentials);
  pair.follower.options.wire = WireChoice::kTrainer;
  listener.set_connect([&] {
    if (connects++ == 0) may_answer.wait_for(kLimit);
    return grpc::Status::OK;
  });
  Connect(&listener, files, [&] { return connects > 0; });
  EXPECT_GT(connects, 1);
  answers.set_value();
}

// The leader is told what came of a send while the follower finds its certificate replaced. An
// answer that takes 5 s is waited for no longer, so that a machine that needs as long sees less
// than this.
TEST_F(SlowLeaderRotationTest, ShouldTellAgainOfASendWhereACertificateIsTakenOffMeanwhile) {
  LogLines lines;
  const TlsFilesPtr files = Files();
  const auto credentials = ServerCredentialsOf(files);
  std::atomic<int> told{0};
  std::atomic<int> hellos{0};
  std::promise<void> answers;
  const auto may_answer = answers.get_future().share();
  RawListener listener(/*speaks_link=*/false, credentials);
  listener.set_hello([&] {
    ++hellos;
    return grpc::Status::OK;
  });
  listener.set_reset([&](const ResetRequest&) {
    if (told++ == 0) may_answer.wait_for(kLimit);
    return grpc::Status::OK;
  });
  Party& follower = pair.follower;
  follower.options.wire = WireChoice::kTrainer;
  certificates.Write("policy.json", R"({"version": 1, "default": "deny", "rules": []})");
  follower.options.egress_policy = certificates.path("policy.json");
  const std::string old = certificates.Fingerprint("leader");
  const std::string next = certificates.Fingerprint("next-leader");
  certificates.Allow("of-follower", {old, next});
  ASSERT_EQ(follower.Open().Text(), "OK");
  ASSERT_EQ(follower.Meet(listener.port()).Text(), "OK");
  ASSERT_TRUE(follower.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
  Ending connected, denied;
  follower.peer->Connect(connected.call());
  ASSERT_EQ(connected.status().Text(), "OK");
  const std::vector<float> values{1};
  follower.peer->SendTensor(Floats("x", 0, values), denied.call());
  ASSERT_EQ(denied.status().code(), Code::kPermissionDenied) << denied.status().Text();
  ASSERT_TRUE(Eventually([&] { return told > 0; }));
  certificates.Replace("leader", "next-leader");
  ASSERT_TRUE(Eventually([&] { return files->Refresh(); }));
  // Whatever changes of its own files, the follower goes on over a connection made since.
  certificates.Allow("of-follower", {old, next, certificates.Fingerprint("next-follower")});
  lines.Await(kTaken);
  ASSERT_TRUE(Eventually([&, before = hellos.load()] { return hellos > before + 1; }));
  certificates.Allow("of-follower", {next});
  EXPECT_TRUE(Eventually([&] { return told > 1; }));
  answers.set_value();
  follower.node->Close();
}

// Steps of mixed sizes, in both directions, while certificates change and connections break.
class Load {
 public:
  explicit Load(Pair* pair) : pair_(pair) {}

  void Step(int64_t step) {
    std::minstd_rand random(static_cast<uint32_t>(step));
    const std::vector<float> there = Values(&random), back = Values(&random);
    Arrival arrival, returned;
    Ending sent, sent_back;
    pair_->leader.peer->ReceiveTensor("x", step, arrival.allocate(), arrival.ending.call());
    pair_->follower.peer->ReceiveTensor("x", step, returned.allocate(), returned.ending.call());
    pair_->follower.peer->SendTensor(Floats("x", step, there), sent.call());
    pair_->leader.peer->SendTensor(Floats("x", step, back), sent_back.call());
    ASSERT_EQ(arrival.ending.status().Text(), "OK");
    ASSERT_EQ(returned.ending.status().Text(), "OK");
    ASSERT_EQ(sent.status().Text(), "OK");
    ASSERT_EQ(sent_back.status().Text(), "OK");
    ASSERT_EQ(arrival.bytes, BytesOf(there));
    ASSERT_EQ(returned.bytes, BytesOf(back));
  }

 private:
  static std::vector<float> Values(std::minstd_rand* random) {
    // 4 bytes to 2 MiB, each order of magnitude alike.
    const size_t size = size_t{1} << std::uniform_int_distribution<int>(0, 18)(*random);
    std::vector<float> values(std::uniform_int_distribution<size_t>(size, 2 * size)(*random));
    for (float& value : values) value = static_cast<float>((*random)());
    return values;
  }

  Pair* const pair_;
};

TEST_F(RotationTest, ShouldLoseNothingWhileCertificatesAreReplacedAndConnectionsBreak) {
  // A trainer wire's tensor fails with its connection.
  pair.leader.options.wire = pair.follower.options.wire = WireChoice::kLink;
  constexpr int kRotations = 6;
  LogLines lines;
  pair.ConnectThroughProxies();
  Load load(&pair);
  int64_t step = 0;
  for (int rotation = 1; rotation <= kRotations; ++rotation) {
    for (const char* name : {"leader", "follower"}) {
      const char* list = std::string(name) == "leader" ? "of-follower" : "of-leader";
      const std::string next = absl::StrCat(name, "-", rotation);
      certificates.Make(next, {"ca", name});
      // As an operator does it: the next one is listed, then put in place.
      certificates.Allow(list, {certificates.Fingerprint(name), certificates.Fingerprint(next)});
      certificates.Replace(name, next);
    }
    for (int64_t until = step + 30; step < until || lines.Count(kTaken) < 2 * rotation; ++step) {
      load.Step(step);
      if (step % 17 == 5) BreakAll();
      ASSERT_FALSE(HasFatalFailure()) << "step " << step;
    }
    for (Party* server : {&pair.leader, &pair.follower}) {
      const bool leads = server == &pair.leader;
      const std::string expected = certificates.Fingerprint(leads ? "leader" : "follower");
      // The list and the certificate may have been taken one after the other.
      for (std::string now; now != expected; load.Step(step++)) {
        now = Presented(*server, leads ? pair.follower : pair.leader);
        ASSERT_FALSE(HasFatalFailure()) << "step " << step;
      }
    }
  }
  // Only the last certificates are listed: what the pair goes on with are those.
  const int taken = lines.Count(kTaken);
  certificates.Allow("of-leader", {certificates.Fingerprint("follower")});
  certificates.Allow("of-follower", {certificates.Fingerprint("leader")});
  for (const int64_t until = step + 20; step < until || lines.Count(kTaken) < taken + 2; ++step) {
    load.Step(step);
    if (step % 7 == 3) BreakAll();
    ASSERT_FALSE(HasFatalFailure()) << "step " << step;
  }
  RecordProperty("steps", static_cast<int>(step));
  RecordProperty("breaks", lines.Count("the connection broke"));
}

// As docs/security.md has an operator do it: listed, and put in place when the list is known there;
// the old one is taken off when the new one is in use.
TEST_F(RotationTest, ShouldLoseNothingOverTheTrainerWireWhileCertificatesAreReplaced) {
  constexpr int kRotations = 4;
  pair.UseTrainer();
  LogLines lines;
  pair.Connect();
  for (Party* party : {&pair.leader, &pair.follower}) {
    ASSERT_TRUE(party->peer->RegisterTensor("long", kFloat, std::nullopt).ok());
  }
  StateLog at_leader(pair.leader.peer), at_follower(pair.follower.peer);
  Load load(&pair);
  int64_t step = 0;
  const auto go_on_until = [&](const std::function<bool()>& enough) {
    const auto end = std::chrono::steady_clock::now() + kLimit;
    for (const int64_t until = step + 10; step < until || !enough(); ++step) {
      load.Step(step);
      ASSERT_LT(std::chrono::steady_clock::now(), end);
      ASSERT_FALSE(HasFatalFailure()) << "step " << step;
    }
  };
  int taken = 0;
  const auto all_taken = [&] { return lines.Count(kTaken) >= taken; };
  for (int rotation = 1; rotation <= kRotations; ++rotation) {
    SCOPED_TRACE(rotation);
    const std::vector<float> values{1, 2, 3};
    Ending sent_long;
    pair.follower.peer->SendTensor(Floats("long", rotation, values), sent_long.call());
    const std::string name = rotation % 2 == 0 ? "leader" : "follower";
    const std::string list = rotation % 2 == 0 ? "of-follower" : "of-leader";
    const std::string next = absl::StrCat(name, "-", rotation);
    certificates.Make(next, {"ca", name});
    certificates.Allow(list, {certificates.Fingerprint(name), certificates.Fingerprint(next)});
    ++taken;
    ASSERT_NO_FATAL_FAILURE(go_on_until(all_taken));
    certificates.Replace(name, next);
    ++taken;
    ASSERT_NO_FATAL_FAILURE(go_on_until(
        [&] { return all_taken() && lines.Count("has another certificate now") >= rotation; }));
    // What began before the rotation ends over the connection that it began on.
    Arrival arrived_long;
    pair.leader.peer->ReceiveTensor("long", rotation, arrived_long.allocate(),
                                    arrived_long.ending.call());
    EXPECT_EQ(arrived_long.ending.status().Text(), "OK");
    EXPECT_EQ(sent_long.status().Text(), "OK");
    certificates.Allow(list, {certificates.Fingerprint(next)});
    ++taken;
    ASSERT_NO_FATAL_FAILURE(go_on_until(all_taken));
  }
  // Nobody has even seen it away.
  for (StateLog* log : {&at_leader, &at_follower}) {
    for (const PeerState state : log->states()) EXPECT_EQ(state, PeerState::kReady);
  }
  EXPECT_EQ(pair.leader.peer->stats().reconnects, 0);
  EXPECT_EQ(pair.follower.peer->stats().reconnects, 0);
  EXPECT_EQ(lines.Count("ended "), 0);
  RecordProperty("steps", static_cast<int>(step));
}

}  // namespace
}  // namespace efl::test
