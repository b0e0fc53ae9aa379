// Everything that can be wrong with certificates between two parties: refused within five seconds,
// with an error that names the cause at the party that can mend it. The one place where time is
// what is asked for.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <ostream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "support/certificates.h"
#include "support/pair.h"
#include "support/tls_pair.h"

namespace efl::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kRefusedWithin{5};

struct Fault {
  const char* name;
  // Of two parties that would fit together, makes two that don't.
  std::function<void(Certificates*, Pair*)> make;
  // What either is told. Empty: it isn't let know, or has no part in it.
  const char* leader;
  const char* follower;
};
// For the names of the tests.
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

const Fault kFaults[] = {
    {"OfAnotherAuthority",
     [](Certificates* certificates, Pair* pair) {
       certificates->Make("stranger", {"other-ca", "follower"});
       pair->follower.options.tls = certificates->Tls("stranger");
     },
     "is not accepted for '127.0.0.1': unable to get local issuer certificate",
     "refuses this party's certificate"},
    {"AnotherAuthorityTrusted",
     [](Certificates* certificates, Pair* pair) {
       certificates->Make("stranger", {"other-ca"});
       pair->follower.options.tls.peer_certs_file = certificates->cert("other-ca");
     },
     "refuses this party's certificate", "look at EFL_PEER_CERTS_FILENAME (peer_certs_file)"},
    {"ExpiredWhenItStarts",
     [](Certificates* certificates, Pair* pair) {
       certificates->Make("old", {"ca", "follower", true, -86400, 3600});
       pair->follower.options.tls = certificates->Tls("old");
     },
     "", "old.crt': the certificate expired on"},
    {"NotValidYet",
     [](Certificates* certificates, Pair* pair) {
       certificates->Make("young", {"ca", "follower", true, 3600, 3600});
       pair->follower.options.tls = certificates->Tls("young");
     },
     "", "young.crt': the certificate is not valid before"},
    {"AuthorityExpired",
     [](Certificates* certificates, Pair* pair) {
       certificates->Make("old-one", {"ca", "leader", true, -86400, 3600});
       pair->follower.options.tls = certificates->Tls("follower", "old-one");
     },
     "", "old-one.crt': the certificate expired on"},
    {"ExpiredWhileItRan",
     [](Certificates* certificates, Pair* pair) {
       // Good when it is read, and no more when it is used.
       certificates->Make("short", {"ca", "follower", true, -3600, 3600 + 10});
       const auto over = std::chrono::system_clock::now() + std::chrono::seconds(11);
       pair->follower.options.tls = certificates->Tls("short");
       pair->Open();
       std::this_thread::sleep_until(over);
     },
     "is not accepted for '127.0.0.1': certificate has expired",
     "this party (EFL_MY_CERTS_FILENAME, my_certs_file): the certificate expired on"},
    {"HostOfAnotherName",
     [](Certificates* certificates, Pair* pair) {
       certificates->Make("elsewhere", {"ca", "leader", false});
       pair->leader.options.tls = certificates->Tls("elsewhere");
     },
     "", "is not accepted for '127.0.0.1': IP address mismatch"},
    {"NotOfTheExpectedName",
     [](Certificates*, Pair* pair) { pair->leader.options.tls.peer_name = "bob.example"; },
     "does not carry the name 'bob.example', which the party that verifies it expects "
     "(EFL_SSL_PEER_NAME)",
     "does not carry the name 'bob.example', which the party that verifies it expects "
     "(EFL_SSL_PEER_NAME)"},
    {"WildcardForAName",
     [](Certificates* certificates, Pair* pair) {
       certificates->Make("wild", {"ca", "*.example"});
       pair->follower.options.tls = certificates->Tls("wild");
       pair->leader.options.tls.peer_name = "*.example";
     },
     "does not carry the name '*.example'", "does not carry the name '*.example'"},
    {"NotOfThePartyId",
     [](Certificates* certificates, Pair* pair) {
       certificates->Make("mallory");
       pair->follower.options.tls = certificates->Tls("mallory");
     },
     "does not carry 'follower', the id of the party that it is presented for",
     "does not carry 'follower', the id of the party that it is presented for"},
    {"NotOnTheList",
     [](Certificates* certificates, Pair* pair) {
       certificates->Allow("list", {certificates->Fingerprint("leader")});
       pair->leader.options.tls.allowed_fingerprints_file = certificates->path("list");
     },
     "is not on the list of allowed fingerprints of the party that verifies it "
     "(EFL_SSL_ALLOWED_FINGERPRINTS_FILENAME)",
     "is not on the list of allowed fingerprints of the party that verifies it "
     "(EFL_SSL_ALLOWED_FINGERPRINTS_FILENAME)"},
    {"NoClientCertificate",
     [](Certificates*, Pair* pair) {
       pair->follower.options.tls.my_certs_file = pair->follower.options.tls.my_key_file = "";
     },
     "speaks plaintext and this party TLS: the peer has to set EFL_MY_CERTS_FILENAME",
     "refuses this party's certificate (none was sent: set EFL_MY_CERTS_FILENAME and "
     "EFL_MY_KEY_FILENAME)"},
    {"NoClientCertificateWhereANameIsExpected",
     [](Certificates*, Pair* pair) {
       pair->leader.options.tls.client_auth = ClientAuth::kRequest;
       pair->leader.options.tls.peer_name = "follower";
       pair->follower.options.tls.my_certs_file = pair->follower.options.tls.my_key_file = "";
     },
     "speaks plaintext and this party TLS", "none was presented: EFL_MY_CERTS_FILENAME"},
    {"NoClientCertificateForAPartyId",
     [](Certificates*, Pair* pair) {
       pair->leader.options.tls.client_auth = ClientAuth::kRequest;
       pair->follower.options.tls.my_certs_file = pair->follower.options.tls.my_key_file = "";
     },
     "speaks plaintext and this party TLS",
     "none was presented: it takes EFL_MY_CERTS_FILENAME and EFL_MY_KEY_FILENAME"},
    {"PlaintextAgainstTls",
     [](Certificates*, Pair* pair) { pair->follower.options.tls = TlsOptions(); },
     "speaks plaintext and this party TLS: the peer has to set EFL_MY_CERTS_FILENAME",
     "speaks TLS and this party plaintext: set EFL_PEER_CERTS_FILENAME"},
    {"TlsAgainstPlaintext",
     [](Certificates*, Pair* pair) { pair->leader.options.tls = TlsOptions(); },
     "speaks TLS and this party plaintext: set EFL_PEER_CERTS_FILENAME",
     "speaks plaintext and this party TLS: the peer has to set EFL_MY_CERTS_FILENAME"},
};

class CertificateFaultTest : public TlsPairTest, public testing::WithParamInterface<Fault> {};

TEST_P(CertificateFaultTest, ShouldBeRefusedSoonWithItsCause) {
  const Fault& fault = GetParam();
  const std::string leader_learns = fault.leader, follower_learns = fault.follower;
  fault.make(&certificates, &pair);
  if (pair.leader.peer == nullptr) {
    const auto begin = Clock::now();
    ASSERT_EQ(pair.leader.Open().Text(), "OK");
    if (const Status at_once = pair.follower.Open(); !at_once.ok()) {
      ExpectSaid(at_once, Code::kInvalidArgument, follower_learns);
      ExpectWithin(kRefusedWithin, begin);
      return;
    }
    ASSERT_EQ(pair.leader.Meet(pair.follower.node->port()).Text(), "OK");
    ASSERT_EQ(pair.follower.Meet(pair.leader.node->port()).Text(), "OK");
  }
  Ending leader, follower;
  const auto begin = Clock::now();
  pair.leader.peer->Connect(leader.call());
  pair.follower.peer->Connect(follower.call());
  ExpectSaid(follower.status(), Code::kUnauthenticated, follower_learns);
  ExpectWithin(kRefusedWithin, begin);
  if (leader_learns.empty()) {
    pair.leader.node->Close();
    return;
  }
  ExpectSaid(leader.status(), Code::kUnauthenticated, leader_learns);
  ExpectWithin(kRefusedWithin, begin);
}

INSTANTIATE_TEST_SUITE_P(Faults, CertificateFaultTest, testing::ValuesIn(kFaults),
                         testing::PrintToStringParamName());

// Of a server of another make, or on a machine with another clock, that uses such a certificate.
class ServersCertificateFaultTest : public TlsPairTest {
 protected:
  void ExpectTheDiallerLearns(const std::string& certificate, const std::string& learns) {
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back(
        {certificates.Read(certificate + ".key"), certificates.Read(certificate + ".crt")});
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
    const auto queue = builder.AddCompletionQueue();
    const auto server = builder.BuildAndStart();
    ASSERT_NE(server, nullptr);
    ASSERT_EQ(pair.leader.Open().Text(), "OK");
    ASSERT_EQ(pair.leader.Meet(port).Text(), "OK");
    Ending ending;
    const auto begin = Clock::now();
    pair.leader.peer->Connect(ending.call());
    ExpectSaid(ending.status(), Code::kUnauthenticated, learns);
    ExpectWithin(kRefusedWithin, begin);
    server->Shutdown();
    queue->Shutdown();
    void* tag = nullptr;
    for (bool ok = false; queue->Next(&tag, &ok);) {
    }
  }
};

TEST_F(ServersCertificateFaultTest, ShouldBeRefusedWhenItHasExpired) {
  certificates.Make("old", {"ca", "localhost", true, -86400, 3600});
  ExpectTheDiallerLearns("old", "is not accepted for '127.0.0.1': certificate has expired");
}

TEST_F(ServersCertificateFaultTest, ShouldBeRefusedWhenItIsNotValidYet) {
  certificates.Make("young", {"ca", "localhost", true, 3600, 3600});
  ExpectTheDiallerLearns("young", "is not accepted for '127.0.0.1': certificate is not yet valid");
}

}  // namespace
}  // namespace efl::test
