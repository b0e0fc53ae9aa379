// The version of TLS that a party of ours speaks with somebody who speaks 1.2 alone.
#include "grpc/tls_version.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "support/certificates.h"
#include "support/pair.h"

namespace efl::test {
namespace {

using ContextPtr = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using SslPtr = std::unique_ptr<SSL, decltype(&SSL_free)>;

class TlsVersionTest : public testing::Test {
 protected:
  void SetUp() override {
    certificates.Make("leader");
    certificates.Make("follower");
  }

  ContextPtr Context(const SSL_METHOD* method, const std::string& name, int highest) {
    ContextPtr context(SSL_CTX_new(method), &SSL_CTX_free);
    SSL_CTX_set_max_proto_version(context.get(), highest);
    SSL_CTX_use_certificate_file(context.get(), certificates.cert(name).c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context.get(), certificates.key(name).c_str(), SSL_FILETYPE_PEM);
    return context;
  }

  // What a client that speaks up to this version agrees on with a leader's server; 0: nothing.
  int Agreed(TlsVersion demanded, int highest) {
    Party leader(Role::kLeader);
    leader.options.tls = certificates.Tls("leader");
    leader.options.tls.min_version = demanded;
    EXPECT_EQ(leader.Open().Text(), "OK");
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(leader.node->port()));
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    const ContextPtr context = Context(TLS_client_method(), "follower", highest);
    const SslPtr ssl(SSL_new(context.get()), &SSL_free);
    static constexpr unsigned char kAlpn[] = {2, 'h', '2'};
    SSL_set_alpn_protos(ssl.get(), kAlpn, sizeof(kAlpn));
    SSL_set_fd(ssl.get(), fd);
    const int version = SSL_connect(ssl.get()) == 1 ? SSL_version(ssl.get()) : 0;
    ERR_clear_error();
    close(fd);
    return version;
  }

  Certificates certificates;
};

TEST_F(TlsVersionTest, ShouldSpeakTheHighestVersionThatBothKnow) {
  EXPECT_EQ(Agreed(TlsVersion::k12, TLS1_3_VERSION), TLS1_3_VERSION);
  EXPECT_EQ(Agreed(TlsVersion::k12, TLS1_2_VERSION), TLS1_2_VERSION);
  EXPECT_EQ(Agreed(TlsVersion::k12, TLS1_1_VERSION), 0);
}

TEST_F(TlsVersionTest, ShouldRefuseLessThanIsDemanded) {
  EXPECT_EQ(Agreed(TlsVersion::k13, TLS1_3_VERSION), TLS1_3_VERSION);
  EXPECT_EQ(Agreed(TlsVersion::k13, TLS1_2_VERSION), 0);
  // Nobody demands it any more.
  EXPECT_EQ(Agreed(TlsVersion::k12, TLS1_2_VERSION), TLS1_2_VERSION);
}

TEST_F(TlsVersionTest, ShouldSayThatTheServerSpeaksLessThanIsDemanded) {
  // A server that speaks 1.2 alone.
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* at = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener, at, size), 0);
  ASSERT_EQ(listen(listener, 16), 0);
  ASSERT_EQ(getsockname(listener, at, &size), 0);
  std::thread server([&] {
    const ContextPtr context = Context(TLS_server_method(), "leader", TLS1_2_VERSION);
    for (;;) {
      const int fd = accept(listener, nullptr, nullptr);
      if (fd < 0) return;
      const SslPtr ssl(SSL_new(context.get()), &SSL_free);
      SSL_set_fd(ssl.get(), fd);
      EXPECT_NE(SSL_accept(ssl.get()), 1);
      ERR_clear_error();
      close(fd);
    }
  });
  const absl::Cleanup end = [&] {
    shutdown(listener, SHUT_RDWR);
    server.join();
    close(listener);
  };
  Party follower(Role::kFollower);
  follower.options.tls = certificates.Tls("follower");
  follower.options.tls.min_version = TlsVersion::k13;
  ASSERT_EQ(follower.Open().Text(), "OK");
  ASSERT_EQ(follower.Meet(ntohs(address.sin_port)).Text(), "OK");
  Ending ending;
  follower.peer->Connect(ending.call());
  ExpectSaid(ending.status(), Code::kUnauthenticated, "protocol version");
}

}  // namespace
}  // namespace efl::test
