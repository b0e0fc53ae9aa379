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

}  // namespace
}  // namespace efl
