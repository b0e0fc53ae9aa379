// How two parties find each other, or learn why they don't.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "support/pair.h"
#include "support/tls_pair.h"

namespace efl::test {
namespace {

// Both connect; the status of each.
std::pair<Status, Status> ConnectBoth(Pair* pair, int64_t timeout_ms = -1) {
  Ending leader, follower;
  pair->leader.peer->Connect(leader.call(0, timeout_ms));
  pair->follower.peer->Connect(follower.call(0, timeout_ms));
  return {leader.status(), follower.status()};
}

TEST(ConnectTest, ShouldConnectWhicheverPartyIsThereFirst) {
  for (const bool leader_first : {true, false}) {
    Pair pair;
    Party& first = leader_first ? pair.leader : pair.follower;
    Party& second = leader_first ? pair.follower : pair.leader;
    ASSERT_EQ(first.Open().Text(), "OK");
    const int port = FreePort();
    ASSERT_EQ(first.Meet(port).Text(), "OK");
    Ending by_first, by_second;
    first.peer->Connect(by_first.call());
    EXPECT_FALSE(by_first.ended_within(std::chrono::milliseconds(300)));
    second.options.listen_address = absl::StrCat("127.0.0.1:", port);
    ASSERT_EQ(second.Open().Text(), "OK");
    ASSERT_EQ(second.Meet(first.node->port()).Text(), "OK");
    second.peer->Connect(by_second.call());
    EXPECT_EQ(by_first.status().Text(), "OK");
    EXPECT_EQ(by_second.status().Text(), "OK");
  }
}

TEST(ConnectTest, ShouldRefuseOperationsBefore) {
  Pair pair;
  pair.Open();
  Ending sent, received, asked;
  Arrival arrival;
  pair.leader.peer->SendTensor(Floats("x", 0, {}), sent.call());
  pair.leader.peer->ReceiveTensor("x", 0, arrival.allocate(), received.call());
  pair.follower.peer->ReceiveReaderState("train", asked.call());
  for (Ending* ending : {&sent, &received, &asked}) {
    ExpectSaid(ending->status(), Code::kFailedPrecondition, "Not connected.");
  }
}

TEST(ConnectTest, ShouldRefuseToConnectTwice) {
  Pair pair;
  pair.Connect();
  Ending again;
  pair.leader.peer->Connect(again.call());
  ExpectSaid(again.status(), Code::kFailedPrecondition, "Already Connected.");
}

TEST(ConnectTest, ShouldRefuseTwoLeadersAtBothEnds) {
  Pair pair;
  pair.follower.options.role = Role::kLeader;
  pair.Open();
  const auto [one, other] = ConnectBoth(&pair);
  for (const Status& status : {one, other}) {
    ExpectSaid(status, Code::kFailedPrecondition, "both parties are configured as leader");
  }
}

TEST(ConnectTest, ShouldRefuseTwoFollowersAtBothEnds) {
  Pair pair;
  pair.leader.options.role = Role::kFollower;
  pair.Open();
  const auto [one, other] = ConnectBoth(&pair);
  for (const Status& status : {one, other}) {
    ExpectSaid(status, Code::kFailedPrecondition, "both parties are configured as follower");
  }
}

TEST(ConnectTest, ShouldSayWhatItWaitedForWhenNobodyIsThere) {
  Party party(Role::kFollower);
  ASSERT_EQ(party.Open().Text(), "OK");
  const int port = FreePort();
  ASSERT_EQ(party.Meet(port).Text(), "OK");
  Ending ending;
  party.peer->Connect(ending.call(0, 2500));
  ExpectSaid(ending.status(), Code::kDeadlineExceeded, "the peer cannot be reached");
  ExpectSaid(ending.status(), Code::kDeadlineExceeded, "Connection refused");
  EXPECT_EQ(ending.status().subject().operation, "connect");
  EXPECT_EQ(ending.status().subject().peer, absl::StrCat("127.0.0.1:", port));
}

TEST(ConnectTest, ShouldSayThatTheFollowerHasNotConnected) {
  Pair pair;
  pair.Open();
  Ending ending;
  pair.leader.peer->Connect(ending.call(0, 2500));
  ExpectSaid(ending.status(), Code::kDeadlineExceeded, "the follower has not connected");
  // It can be tried again.
  const auto [leader, follower] = ConnectBoth(&pair);
  EXPECT_EQ(leader.Text(), "OK");
  EXPECT_EQ(follower.Text(), "OK");
}

TEST(ConnectTest, ShouldRefuseAMisspelledAddress) {
  Party party(Role::kFollower);
  ASSERT_EQ(party.Open().Text(), "OK");
  party.options.peer_address = "localhost";
  Status status;
  EXPECT_EQ(party.node->AddPeer(party.options, &status), nullptr);
  ExpectSaid(status, Code::kInvalidArgument, "peer_address='localhost': expected host:port");
}

TEST(ConnectTest, ShouldEndWhatIsPendingWhenThePeerRestarts) {
  Pair pair;
  pair.ConnectThroughProxies();
  Arrival arrival;
  pair.leader.peer->ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  // Another node behind the follower's address is what a restart looks like to the leader.
  Party again(Role::kFollower);
  ASSERT_EQ(again.Open().Text(), "OK");
  ASSERT_EQ(again.Meet(pair.leader.node->port()).Text(), "OK");
  pair.to_leader->Cut();
  pair.to_follower->Retarget(again.node->port());
  Ending connecting;
  again.peer->Connect(connecting.call());
  ExpectSaid(arrival.ending.status(), Code::kAborted, "restarted");
  Ending sent;
  pair.leader.peer->SendTensor(Floats("x", 0, {}), sent.call());
  ExpectSaid(sent.status(), Code::kAborted, "Not connected any more: the peer has restarted");
  again.node->Close();
}

TEST(ConnectTest, ShouldNotBelieveAStrangerThatThePeerHasRestarted) {
  Pair pair;
  pair.Connect();
  Party stranger(Role::kFollower);
  ASSERT_EQ(stranger.Open().Text(), "OK");
  ASSERT_EQ(stranger.Meet(pair.leader.node->port()).Text(), "OK");
  Ending strange;
  stranger.peer->Connect(strange.call(0, 600));
  strange.Wait();
  Exchange(&pair);
}

class TlsConnectTest : public TlsPairTest {};

TEST_F(TlsConnectTest, ShouldConnectWithMutualTls) {
  pair.Connect();
  Exchange(&pair);
}

TEST_F(TlsConnectTest, ShouldConnectWithSelfSignedCertificatesOfThePeers) {
  // As existing parties do it: each trusts the other's own certificate.
  pair.leader.options.tls.peer_certs_file = certificates.cert("follower");
  pair.follower.options.tls.peer_certs_file = certificates.cert("leader");
  pair.Connect();
  Exchange(&pair);
}

TEST_F(TlsConnectTest, ShouldLetClientsWithoutCertificateInWhereItDoesNotAsk) {
  for (const ClientAuth auth : {ClientAuth::kNone, ClientAuth::kRequest}) {
    Pair other;
    other.leader.options.tls = certificates.Tls("leader");
    other.leader.options.tls.client_auth = auth;
    // The follower presents no certificate, and its server speaks plaintext: behind an ingress.
    other.follower.options.tls.peer_certs_file = certificates.cert("ca");
    // It may say who it is where nobody asks for a proof.
    if (auth == ClientAuth::kRequest) other.follower.options.party_id = "";
    ASSERT_EQ(other.leader.Open().Text(), "OK");
    ASSERT_EQ(other.follower.Open().Text(), "OK");
    ASSERT_EQ(other.follower.Meet(other.leader.node->port()).Text(), "OK");
    // The leader dials plaintext, so only the follower's direction is TLS.
    other.leader.options.tls = TlsOptions();
    ASSERT_EQ(other.leader.Meet(other.follower.node->port()).Text(), "OK");
    ASSERT_TRUE(other.leader.peer->RegisterTensor("x", kFloat, std::nullopt).ok());
    const auto [leader, follower] = ConnectBoth(&other);
    EXPECT_EQ(leader.Text(), "OK");
    EXPECT_EQ(follower.Text(), "OK");
    Exchange(&other);
  }
}

TEST_F(TlsConnectTest, ShouldAcceptAServerOfTheOverriddenName) {
  certificates.Make("elsewhere", {"ca", "elsewhere.example", false});
  pair.leader.options.tls = certificates.Tls("elsewhere");
  pair.follower.options.tls.target_name_override = "elsewhere.example";
  pair.follower.options.tls.peer_name = "elsewhere.example";
  pair.Connect();
  Exchange(&pair);
}

}  // namespace
}  // namespace efl::test
