#include "grpc/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "efl/pair_service.pb.h"
#include "grpc/grpc_status.h"
#include "support/certificates.h"
#include "support/pair.h"
#include "wire/messages.h"

namespace efl::test {
namespace {

ClientOptions Options() {
  ClientOptions options;
  options.address = "127.0.0.1:" + std::to_string(FreePort());
  options.max_send_message_size = options.max_receive_message_size = 1 << 20;
  return options;
}

TEST(ClientTest, ShouldAnswerEveryCallAlsoWhenItIsClosed) {
  StreamQueue streams;
  Client client(Options(), TlsFiles::None(), nullptr, &streams.queue);
  std::atomic<int> answered{0};
  const auto answer = [&](const grpc::Status& status, grpc::ByteBuffer*) {
    EXPECT_FALSE(status.ok());
    ++answered;
  };
  for (int i = 0; i < 10; ++i) client.Call("/efl.TrainerService/Connect", {}, 0, answer);
  client.After(60'000, [] { ADD_FAILURE() << "an alarm of a closed client"; });
  client.Close();
  EXPECT_EQ(answered, 10);
  client.Call("/efl.TrainerService/Connect", {}, 0, answer);
  EXPECT_EQ(answered, 11);
}

TEST(ClientTest, ShouldForgetACallThatItRefused) {
  StreamQueue streams;
  Client client(Options(), TlsFiles::None(), nullptr, &streams.queue);
  client.Close();
  auto slot = std::make_shared<CallSlot>();
  const std::weak_ptr<CallSlot> weak = slot;
  slot->Hold(client.Call("/efl.TrainerService/Connect", {}, 0,
                         [slot](const grpc::Status&, grpc::ByteBuffer*) {}));
  slot = nullptr;
  EXPECT_TRUE(weak.expired());
}

// Whatever else is renewing a connection meanwhile, the one that there is at the end has the files
// as they are at the end.
TEST(ClientTest, ShouldGoOnWithTheFilesAsTheyAreNow) {
  constexpr int kRounds = 200;
  Certificates certificates;
  certificates.Make("server");
  certificates.Make("stranger", {"other-ca"});
  Party server(Role::kLeader);
  server.options.tls = certificates.Tls("server");
  server.options.tls.client_auth = ClientAuth::kNone;
  ASSERT_EQ(server.Open().Text(), "OK");

  TlsOptions tls;
  tls.peer_certs_file = certificates.path("trusted.crt");
  certificates.Replace("trusted", "other-ca", ".crt");
  Status status;
  const TlsFilesPtr files = TlsFiles::Load(tls, &status);
  ASSERT_EQ(status.Text(), "OK");
  ClientOptions options = Options();
  options.address = "127.0.0.1:" + std::to_string(server.node->port());
  StreamQueue streams;
  Client client(options, files, nullptr, &streams.queue);
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<int> renewing{0};
    std::vector<std::thread> others;
    certificates.Replace("trusted", "ca", ".crt");
    ASSERT_FALSE(files->Refresh());
    for (int i = 0; i < 2; ++i) {
      others.emplace_back([&] {
        ++renewing;
        client.Renew(0);
      });
    }
    while (renewing == 0) std::this_thread::yield();
    EXPECT_TRUE(files->Refresh());
    client.RenewAll();
    for (std::thread& other : others) other.join();
    Ending ending;
    client.Call("/efl.PairService/Hello", Encode(PairHello()), 20'000,
                [done = ending.done()](const grpc::Status& answer, grpc::ByteBuffer*) {
                  done(FromGrpc(answer), {});
                });
    // Any word of the server's own.
    ExpectSaid(ending.status(), Code::kUnavailable, "This party is not ready yet.");
    ASSERT_FALSE(testing::Test::HasFailure()) << "round " << round;
    certificates.Replace("trusted", "other-ca", ".crt");
    ASSERT_FALSE(files->Refresh());
    ASSERT_TRUE(files->Refresh());
    client.RenewAll();
  }
  client.Close();
}

}  // namespace
}  // namespace efl::test
