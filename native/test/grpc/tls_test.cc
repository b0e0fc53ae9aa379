#include "grpc/tls.h"

#include <gtest/gtest.h>

#include "support/certificates.h"

namespace efl {
namespace {

using test::Certificates;

class TlsTest : public testing::Test {
 protected:
  void SetUp() override { certificates.Make("alice"); }

  void ExpectRefused(const TlsOptions& options, const std::string& expected) {
    TlsIdentity identity;
    const Status status = LoadTls(options, &identity);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_NE(status.message().find(expected), std::string::npos) << status.Text();
  }

  Certificates certificates;
};

TEST_F(TlsTest, ShouldBeOffWhenNothingIsSet) {
  TlsIdentity identity;
  ASSERT_TRUE(LoadTls({}, &identity).ok());
  EXPECT_FALSE(identity.server_on());
  EXPECT_FALSE(identity.client_on());
}

TEST_F(TlsTest, ShouldTurnEachSideOnByItsOwnFiles) {
  TlsOptions client_alone;
  client_alone.peer_certs_file = certificates.cert("ca");
  TlsIdentity identity;
  ASSERT_EQ(LoadTls(client_alone, &identity).Text(), "OK");
  EXPECT_FALSE(identity.server_on());
  EXPECT_TRUE(identity.client_on());
  EXPECT_EQ(identity.client_auth, ClientAuth::kNone);

  TlsOptions server_alone = certificates.Tls("alice");
  server_alone.peer_certs_file = "";
  identity = TlsIdentity();
  ASSERT_EQ(LoadTls(server_alone, &identity).Text(), "OK");
  EXPECT_TRUE(identity.server_on());
  EXPECT_FALSE(identity.client_on());
  EXPECT_EQ(identity.client_auth, ClientAuth::kNone);
}

TEST_F(TlsTest, ShouldVerifyClientsWhereItHasThePeersCertificate) {
  TlsOptions options = certificates.Tls("alice");
  TlsIdentity identity;
  ASSERT_EQ(LoadTls(options, &identity).Text(), "OK");
  EXPECT_EQ(identity.client_auth, ClientAuth::kRequire);
  options.client_auth = ClientAuth::kNone;
  identity = TlsIdentity();
  ASSERT_EQ(LoadTls(options, &identity).Text(), "OK");
  EXPECT_EQ(identity.client_auth, ClientAuth::kNone);
}

TEST_F(TlsTest, ShouldRefuseOneOfAPair) {
  TlsOptions options = certificates.Tls("alice");
  options.my_key_file = "";
  ExpectRefused(options, "EFL_MY_CERTS_FILENAME (my_certs_file) is set, but EFL_MY_KEY_FILENAME");
  options = certificates.Tls("alice");
  options.my_certs_file = "";
  ExpectRefused(options, "EFL_MY_KEY_FILENAME (my_key_file) is set, but EFL_MY_CERTS_FILENAME");
}

TEST_F(TlsTest, ShouldNameTheFileAndWhatIsWrongWithIt) {
  TlsOptions options = certificates.Tls("alice");
  options.my_certs_file = certificates.path("none.crt");
  ExpectRefused(options, "none.crt' cannot be read: No such file or directory");
  options = certificates.Tls("alice");
  options.peer_certs_file = certificates.path("");
  ExpectRefused(options, "cannot be read: Is a directory");
  options = certificates.Tls("alice");
  certificates.Write("garbage", "this is no PEM");
  options.my_certs_file = certificates.path("garbage");
  ExpectRefused(options, "garbage' holds no PEM certificate");
  options = certificates.Tls("alice");
  options.my_key_file = certificates.path("garbage");
  ExpectRefused(options, "garbage' holds no PEM private key");
}

TEST_F(TlsTest, ShouldRefuseDatesThatDoNotHoldNow) {
  certificates.Make("old", {"ca", "localhost", true, -86400, 3600});
  certificates.Make("young", {"ca", "localhost", true, 3600, 3600});
  ExpectRefused(certificates.Tls("old"), "the certificate expired on");
  ExpectRefused(certificates.Tls("young"), "the certificate is not valid before");
  TlsOptions options = certificates.Tls("alice");
  options.peer_certs_file = certificates.cert("old");
  ExpectRefused(options, "the certificate expired on");
}

TEST_F(TlsTest, ShouldRefuseAKeyOfAnotherCertificate) {
  certificates.Make("bob");
  TlsOptions options = certificates.Tls("alice");
  options.my_key_file = certificates.key("bob");
  ExpectRefused(options, "bob.key' is not the key of the certificate in");
}

TEST_F(TlsTest, ShouldRefuseToVerifyClientsWithoutWhatItTakes) {
  TlsOptions options = certificates.Tls("alice");
  options.peer_certs_file = "";
  options.client_auth = ClientAuth::kRequire;
  ExpectRefused(options, "EFL_SSL_CLIENT_AUTH (ssl_client_auth) asks for client certificates");
  options = TlsOptions();
  options.peer_certs_file = certificates.cert("ca");
  options.client_auth = ClientAuth::kRequest;
  ExpectRefused(options, "EFL_SSL_CLIENT_AUTH");
}

TEST_F(TlsTest, ShouldReadFingerprintsInAnyOfTheirForms) {
  const std::string digits = certificates.Fingerprint("alice");
  std::string colons;
  for (size_t i = 0; i < digits.size(); i += 2) {
    colons += (i > 0 ? ":" : "") + digits.substr(i, 2);
  }
  for (char& c : colons) c = static_cast<char>(toupper(c));
  TlsOptions options = certificates.Tls("alice");
  options.allowed_fingerprints_file = certificates.path("list");
  for (const std::string& line :
       {digits, colons + "  # alice", "sha256 Fingerprint=" + colons + "\r"}) {
    certificates.Write("list", "# parties\n\n" + line + "\n");
    TlsIdentity identity;
    ASSERT_EQ(LoadTls(options, &identity).Text(), "OK") << line;
    EXPECT_EQ(identity.allowed, std::set<std::string>{digits}) << line;
  }
  certificates.Write("list", "");
  TlsIdentity nobody;
  ASSERT_EQ(LoadTls(options, &nobody).Text(), "OK");
  EXPECT_TRUE(nobody.allowed->empty());
  EXPECT_EQ(nobody.Admit(DescribeCertificate(certificates.Read("alice.crt"))).code(),
            Code::kUnauthenticated);
  certificates.Write("list", digits + "\n" + digits.substr(1) + "\n");
  ExpectRefused(options, "list', line 2: expected a SHA-256 fingerprint, 64 hexadecimal digits");
  options.allowed_fingerprints_file = certificates.path("none");
  ExpectRefused(options, "none' cannot be read: No such file or directory");
}

TEST_F(TlsTest, ShouldRefuseRulesAboutCertificatesThatItDoesNotVerify) {
  TlsOptions options;
  options.peer_name = "bob";
  ExpectRefused(options, "EFL_SSL_PEER_NAME (ssl_peer_name)");
  options = TlsOptions();
  certificates.Allow("list", {});
  options.allowed_fingerprints_file = certificates.path("list");
  ExpectRefused(options, "EFL_SSL_ALLOWED_FINGERPRINTS_FILENAME");
}

TEST(PlaintextTest, ShouldBeAllowedOnLoopbackAloneUnlessAskedFor) {
  const auto check = [](Plaintext plaintext, const std::string& address) {
    TlsOptions options;
    options.plaintext = plaintext;
    return CheckPlaintext(options, "listen_address", address);
  };
  for (const char* loopback : {"127.0.0.1:0", "127.9.0.1:1", "[::1]:1", "LocalHost:50051"}) {
    EXPECT_EQ(check(Plaintext::kLoopback, loopback).Text(), "OK") << loopback;
    EXPECT_EQ(check(Plaintext::kAllow, loopback).Text(), "OK") << loopback;
    EXPECT_EQ(check(Plaintext::kNever, loopback).code(), Code::kInvalidArgument) << loopback;
  }
  for (const char* elsewhere : {"0.0.0.0:0", "[::]:1", "10.0.0.1:1", "localhost.example:1",
                                "127.0.0.1.example:1", "alice:50051"}) {
    EXPECT_NE(check(Plaintext::kLoopback, elsewhere).message().find("EFL_PLAINTEXT=allow"),
              std::string::npos)
        << elsewhere;
    EXPECT_EQ(check(Plaintext::kAllow, elsewhere).Text(), "OK") << elsewhere;
    EXPECT_EQ(check(Plaintext::kNever, elsewhere).code(), Code::kInvalidArgument) << elsewhere;
  }
}

}  // namespace
}  // namespace efl
