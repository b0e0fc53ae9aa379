#include "communicator/options.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "absl/strings/str_cat.h"
#include "base/buffer_pool.h"
#include "support/pair.h"

namespace efl {
namespace {

TEST(OptionsTest, ShouldHaveTheDocumentedDefaults) {
  const Options options;
  EXPECT_EQ(options.server_thread_num, 1);
  EXPECT_EQ(options.client_thread_num, 1);
  EXPECT_EQ(options.scanning_interval_ms, 30'000);
  EXPECT_EQ(options.default_timeout_ms, 600'000);
  EXPECT_EQ(options.client_max_send_message_size, 1 << 30);
}

TEST(OptionsTest, ShouldSetByKey) {
  Options options;
  EXPECT_TRUE(options.Set("role", "follower").ok());
  EXPECT_TRUE(options.Set("peer_address", "bob:50052").ok());
  EXPECT_TRUE(options.Set("default_timeout_ms", "1500").ok());
  EXPECT_TRUE(options.Set("ssl_client_auth", "request").ok());
  EXPECT_EQ(options.role, Role::kFollower);
  EXPECT_EQ(options.peer_address, "bob:50052");
  EXPECT_EQ(options.default_timeout_ms, 1500);
  EXPECT_EQ(options.tls.client_auth, ClientAuth::kRequest);
}

TEST(OptionsTest, ShouldRefuseWhatItCannotUnderstandAndSayWhich) {
  Options options;
  const auto refused = [&](const char* key, const char* value, const char* expected) {
    const Status status = options.Set(key, value);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_NE(status.message().find(expected), std::string::npos) << status.Text();
  };
  refused("no_such_option", "1", "no_such_option");
  refused("server_thread_num", "two", "server_thread_num='two'");
  refused("server_thread_num", "0", "from 1 to 256");
  refused("server_thread_num", "1x", "whole number");
  refused("default_timeout_ms", "-1", "default_timeout_ms");
  refused("role", "boss", "leader or follower");
  refused("ssl_client_auth", "maybe", "require, request or none");
  refused("client_max_send_message_size", "99999999999999999999", "2147483647");
}

TEST(OptionsTest, ShouldCheckAddresses) {
  Options options;
  for (const char* good : {"localhost:0", "127.0.0.1:50051", "[::1]:50051", "bob.example:1"}) {
    options.listen_address = good;
    EXPECT_TRUE(options.CheckNode().ok()) << good;
  }
  for (const char* bad : {"localhost", "localhost:", ":50051", "localhost:65536", "localhost:x",
                          "::1:50051", "localhost:-1"}) {
    options.listen_address = bad;
    EXPECT_EQ(options.CheckNode().code(), Code::kInvalidArgument) << bad;
  }
  options.peer_address = "bob:0";
  EXPECT_EQ(options.CheckPeer(true).code(), Code::kInvalidArgument);
}

TEST(OptionsTest, ShouldLetEitherPartyBeTheOneThatIsReached) {
  Options options;
  EXPECT_TRUE(options.CheckNode().ok());
  EXPECT_TRUE(options.CheckPeer(true).ok());
  test::ExpectSaid(options.CheckPeer(false), Code::kInvalidArgument, "are empty");
  options.peer_address = "bob:1";
  EXPECT_TRUE(options.CheckPeer(false).ok());
  options.wire = WireChoice::kTrainer;
  test::ExpectSaid(options.CheckPeer(false), Code::kInvalidArgument, "listen_address is empty");
}

class EnvironmentTest : public testing::Test {
 protected:
  void TearDown() override {
    for (const char* name :
         {"EFL_MY_CERTS_FILENAME", "EFL_SERVER_MAX_RECEIVE_MESSAGE_SIZE", "EFL_SSL_CLIENT_AUTH",
          "EFL_SSL_TARGET_NAME_OVERRIDE", "EFL_BUFFER_POOL_BYTES"}) {
      unsetenv(name);
    }
  }
};

TEST_F(EnvironmentTest, ShouldTakeWhatIsSetAndNotEmpty) {
  setenv("EFL_MY_CERTS_FILENAME", "/etc/mine.crt", 1);
  setenv("EFL_SERVER_MAX_RECEIVE_MESSAGE_SIZE", "4096", 1);
  setenv("EFL_SSL_CLIENT_AUTH", "none", 1);
  setenv("EFL_SSL_TARGET_NAME_OVERRIDE", "", 1);
  Options options;
  options.tls.target_name_override = "kept";
  ASSERT_EQ(options.SetFromEnvironment().Text(), "OK");
  EXPECT_EQ(options.tls.my_certs_file, "/etc/mine.crt");
  EXPECT_EQ(options.server_max_receive_message_size, 4096);
  EXPECT_EQ(options.tls.client_auth, ClientAuth::kNone);
  EXPECT_EQ(options.tls.target_name_override, "kept");
}

TEST_F(EnvironmentTest, ShouldNameTheVariableThatIsWrong) {
  setenv("EFL_SERVER_MAX_RECEIVE_MESSAGE_SIZE", "1GB", 1);
  Options options;
  const Status status = options.SetFromEnvironment();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(status.message().find("EFL_SERVER_MAX_RECEIVE_MESSAGE_SIZE='1GB'"), std::string::npos);
}

TEST_F(EnvironmentTest, ShouldLookAtTheVariableOfTheBufferPoolToo) {
  for (const char* wrong : {"1G", "-1", " 1", "18446744073709551616", "140737488355329"}) {
    setenv("EFL_BUFFER_POOL_BYTES", wrong, 1);
    test::ExpectSaid(Options().SetFromEnvironment(), Code::kInvalidArgument,
                     absl::StrCat("EFL_BUFFER_POOL_BYTES='", wrong,
                                  "': expected a whole number from 0 to 140737488355328"));
  }
  for (const char* right : {"", "0", "1048576"}) {
    setenv("EFL_BUFFER_POOL_BYTES", right, 1);
    EXPECT_EQ(Options().SetFromEnvironment().Text(), "OK") << right;
  }
  EXPECT_EQ(BufferPool::Read("1048576"), 1u << 20);
}

}  // namespace
}  // namespace efl
