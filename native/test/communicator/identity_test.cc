// Who may come in: certificates and what they say of a party.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "efl/pair_service.pb.h"
#include "efl/trainer_service.pb.h"
#include "support/log_lines.h"
#include "support/pair.h"
#include "support/raw_caller.h"
#include "support/raw_listener.h"
#include "support/stranger.h"
#include "support/tls_pair.h"

namespace efl::test {
namespace {

class IdentityTest : public TlsPairTest {};

TEST_F(IdentityTest, ShouldFindTheIdAmongAllNamesOfACertificate) {
  certificates.Make("by-dns", {"ca", "Follower"});
  certificates.Make("by-uri", {"ca", "localhost", true, -3600, 86400, "spiffe://b/leader"});
  pair.leader.options.party_id = "spiffe://b/leader";
  pair.leader.options.tls = certificates.Tls("by-uri");
  pair.follower.options.tls = certificates.Tls("by-dns");
  pair.Connect();
  Exchange(&pair);
}

TEST_F(IdentityTest, ShouldTakeTheExpectedNameInsteadOfTheId) {
  pair.follower.options.party_id = "a name of its own";
  pair.leader.options.tls.peer_name = "somebody, follower";
  pair.Connect();
  Exchange(&pair);
}

TEST_F(IdentityTest, ShouldLetInWhoIsOnTheListAndNobodyElse) {
  certificates.Allow("list", {certificates.Fingerprint("follower")});
  pair.leader.options.tls.allowed_fingerprints_file = certificates.path("list");
  pair.Connect();
  Exchange(&pair);

  certificates.Make("stranger");
  Pair other;
  other.leader.options.tls = pair.leader.options.tls;
  other.follower.options.tls = certificates.Tls("stranger");
  other.Open();
  Ending leader, follower;
  other.leader.peer->Connect(leader.call());
  other.follower.peer->Connect(follower.call());
  const std::string said = absl::StrCat("SHA-256 ", certificates.Fingerprint("stranger"),
                                        ", is not on the list of allowed fingerprints");
  for (Ending* ending : {&leader, &follower}) {
    ExpectSaid(ending->status(), Code::kUnauthenticated,
               said.substr(0, said.find(',')));  // the fingerprint
    ExpectSaid(ending->status(), Code::kUnauthenticated, "is not on the list of allowed");
  }
}

TEST_F(IdentityTest, ShouldTellAPartyThatOnlyListensWhomItRefused) {
  certificates.Allow("list", {certificates.Fingerprint("leader")});
  pair.leader.options.tls.allowed_fingerprints_file = certificates.path("list");
  pair.leader.options.wire = pair.follower.options.wire = WireChoice::kLink;
  ASSERT_EQ(pair.leader.Open().Text(), "OK");
  ASSERT_EQ(pair.leader.Await().Text(), "OK");
  pair.follower.options.listen_address = "";
  ASSERT_EQ(pair.follower.Open().Text(), "OK");
  ASSERT_EQ(pair.follower.Meet(pair.leader.node->port()).Text(), "OK");
  LogLines lines;
  Ending leader, follower;
  pair.leader.peer->Connect(leader.call(0, 3000));
  pair.follower.peer->Connect(follower.call());
  ExpectSaid(follower.status(), Code::kUnauthenticated, "is not on the list of allowed");
  ExpectSaid(leader.status(), Code::kDeadlineExceeded, "a caller was refused: the certificate");
  lines.Await("refused a caller at ipv4:127.0.0.1:");
}

// Each of these is something that only a certificate can show.
TEST_F(IdentityTest, ShouldLetNobodyWithoutCertificateSpeakForThePeer) {
  certificates.Allow("list", {certificates.Fingerprint("follower")});
  TlsOptions nobody;
  nobody.peer_certs_file = certificates.cert("ca");
  struct Demand {
    const char* what;
    std::function<void(Pair*)> make;
  };
  const Demand demands[] = {
      {"party_id", [](Pair*) {}},
      {"ssl_peer_name", [](Pair* one) { one->leader.options.tls.peer_name = "follower"; }},
      {"ssl_allowed_fingerprints_file", [this](Pair* one) {
         one->leader.options.tls.allowed_fingerprints_file = certificates.path("list");
       }}};
  for (const Demand& demand : demands) {
    SCOPED_TRACE(demand.what);
    Pair one;
    one.leader.options.tls = certificates.Tls("leader");
    one.leader.options.tls.client_auth = ClientAuth::kRequest;
    one.follower.options.tls = certificates.Tls("follower");
    demand.make(&one);
    one.Connect();
    LogLines lines;
    Stranger stranger(one.leader.node->port(), nobody);
    PairHello hello;
    hello.set_protocol_version(1);
    hello.set_role(PARTY_ROLE_FOLLOWER);
    hello.set_party_id("follower");
    hello.set_incarnation(1);
    GoodbyeRequest goodbye;
    goodbye.set_incarnation(one.follower.peer->introduction().incarnation);
    const std::string said = "none was presented";
    ExpectSaid(stranger.Call("/efl.PairService/Hello", hello), Code::kUnauthenticated, said);
    ExpectSaid(stranger.Call("/efl.PairService/Goodbye", goodbye), Code::kUnauthenticated, said);
    ExpectSaid(
        stranger.Call("/efl.TrainerService/GetCheckpointVersion", GetCheckpointVersionRequest()),
        Code::kUnauthenticated, said);
    ExpectSaid(stranger.Stream(), Code::kUnauthenticated, said);
    Exchange(&one);
  }
}

// The first that comes: nothing is known of the peer but what its Hello says.
TEST_F(IdentityTest, ShouldNotBelieveAnIdWithoutACertificate) {
  pair.leader.options.tls.client_auth = ClientAuth::kRequest;
  TlsOptions& tls = pair.follower.options.tls;
  tls.my_certs_file = tls.my_key_file = "";
  pair.leader.options.wire = pair.follower.options.wire = WireChoice::kLink;
  ASSERT_EQ(pair.leader.Open().Text(), "OK");
  ASSERT_EQ(pair.leader.Await().Text(), "OK");
  pair.follower.options.listen_address = "";
  ASSERT_EQ(pair.follower.Open().Text(), "OK");
  ASSERT_EQ(pair.follower.Meet(pair.leader.node->port()).Text(), "OK");
  Ending leader, follower;
  pair.leader.peer->Connect(leader.call(0, 3000));
  pair.follower.peer->Connect(follower.call());
  ExpectSaid(follower.status(), Code::kUnauthenticated,
             "a certificate that carries 'follower', the id of the party that it is presented for, "
             "is expected here, and none was presented");
  ExpectSaid(leader.status(), Code::kDeadlineExceeded,
             "a caller was refused: a certificate that carries 'follower'");
}

TEST_F(IdentityTest, ShouldWarnWhereAnybodyMaySpeakForThePeer) {
  const auto warnings = [this](ClientAuth auth, const std::string& name) {
    LogLines lines;
    Party party(Role::kLeader);
    party.options.tls = certificates.Tls("leader");
    party.options.tls.client_auth = auth;
    party.options.tls.peer_name = name;
    EXPECT_EQ(party.Open().Text(), "OK");
    return std::make_pair(lines.Count("callers are asked for no certificate"),
                          lines.Count("EFL_SSL_CLIENT_AUTH=request without EFL_SSL_PEER_NAME"));
  };
  EXPECT_EQ(warnings(ClientAuth::kNone, "").first, 1);
  EXPECT_EQ(warnings(ClientAuth::kNone, "follower").first, 1);
  EXPECT_EQ(warnings(ClientAuth::kRequest, "").second, 1);
  EXPECT_EQ(warnings(ClientAuth::kRequest, "follower"), std::make_pair(0, 0));
  EXPECT_EQ(warnings(ClientAuth::kRequire, ""), std::make_pair(0, 0));
}

TEST_F(IdentityTest, ShouldNotLetAnotherPartySpeakForThePeer) {
  pair.Connect();
  LogLines lines;
  certificates.Make("mallory");
  Stranger mallory(pair.leader.node->port(), certificates.Tls("mallory"));

  PairHello hello;
  hello.set_protocol_version(1);
  hello.set_role(PARTY_ROLE_FOLLOWER);
  hello.set_party_id("mallory");
  hello.set_incarnation(1);
  GoodbyeRequest goodbye;
  goodbye.set_incarnation(pair.follower.peer->introduction().incarnation);
  ResetRequest reset;
  reset.set_incarnation(goodbye.incarnation());
  reset.set_name("x");
  reset.set_code(tensorflow::error::ABORTED);
  MessageRequest message;
  message.set_name("x");
  const std::string said = "does not carry 'follower'";
  ExpectSaid(mallory.Call("/efl.PairService/Hello", hello), Code::kUnauthenticated, said);
  ExpectSaid(mallory.Call("/efl.PairService/Reset", reset), Code::kUnauthenticated, said);
  ExpectSaid(mallory.Call("/efl.PairService/Goodbye", goodbye), Code::kUnauthenticated, said);
  ExpectSaid(mallory.Call("/efl.TrainerService/SendMessage", message), Code::kUnauthenticated,
             said);
  ExpectSaid(mallory.Call("/efl.TrainerService/Connect", ConnectionRequest()),
             Code::kUnauthenticated, said);
  ExpectSaid(mallory.Call("/efl.TrainerService/GetReaderState", GetReaderStateRequest()),
             Code::kUnauthenticated, said);
  ExpectSaid(
      mallory.Call("/efl.TrainerService/GetCheckpointVersion", GetCheckpointVersionRequest()),
      Code::kUnauthenticated, said);
  ExpectSaid(mallory.Stream(), Code::kUnauthenticated, said);
  Exchange(&pair);
  lines.Await("refused a caller: the certificate 'mallory'");
}

TEST_F(IdentityTest, ShouldRefuseAServerThatIsNotExpected) {
  // The leader's certificate is good, and the follower wants another one's.
  pair.follower.options.tls.peer_name = "bob.example";
  pair.Open();
  Ending leader, follower;
  pair.leader.peer->Connect(leader.call(0, 10'000));
  pair.follower.peer->Connect(follower.call());
  ExpectSaid(follower.status(), Code::kUnauthenticated, "does not carry the name 'bob.example'");
  // The leader calls, and is told by the follower's own server.
  ExpectSaid(leader.status(), Code::kUnauthenticated, "does not carry the name 'bob.example'");
}

TEST_F(IdentityTest, ShouldSendNothingToAServerThatIsNotExpected) {
  RawListener listener(true, ServerCredentialsOf(certificates.Tls("leader")));
  pair.follower.options.tls.peer_name = "bob.example";
  ASSERT_EQ(pair.follower.Open().Text(), "OK");
  ASSERT_EQ(pair.follower.Meet(listener.port()).Text(), "OK");
  Ending connected;
  pair.follower.peer->Connect(connected.call());
  ExpectSaid(connected.status(), Code::kUnauthenticated, "does not carry the name 'bob.example'");
  EXPECT_EQ(listener.calls(), 0);
  // It would have counted one.
  RawCaller other(listener.port(), CredentialsOf(certificates.Tls("follower")));
  EXPECT_EQ(other.Hello(PARTY_ROLE_FOLLOWER, 1).Text(), "OK");
  EXPECT_EQ(listener.calls(), 1);
}

TEST(PlaintextPartyTest, ShouldNotListenOrDialElsewhereWithoutBeingAsked) {
  Party party(Role::kFollower);
  party.options.listen_address = "0.0.0.0:0";
  ExpectSaid(party.Open(), Code::kInvalidArgument, "listen_address='0.0.0.0:0' without TLS");
  party.options.listen_address = "127.0.0.1:0";
  ASSERT_EQ(party.Open().Text(), "OK");
  party.options.peer_address = "192.0.2.1:1";
  Status status;
  EXPECT_EQ(party.node->AddPeer(party.options, &status), nullptr);
  ExpectSaid(status, Code::kInvalidArgument, "peer_address='192.0.2.1:1' without TLS");
  party.options.tls.plaintext = Plaintext::kAllow;
  EXPECT_NE(party.node->AddPeer(party.options, &status), nullptr) << status.Text();
}

}  // namespace
}  // namespace efl::test
