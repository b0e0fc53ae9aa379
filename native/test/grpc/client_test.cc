#include "grpc/client.h"

#include <gtest/gtest.h>

#include <memory>

#include "support/pair.h"

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
  Client client(Options(), {}, &streams.queue);
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
  Client client(Options(), {}, &streams.queue);
  client.Close();
  auto slot = std::make_shared<CallSlot>();
  const std::weak_ptr<CallSlot> weak = slot;
  slot->Hold(client.Call("/efl.TrainerService/Connect", {}, 0,
                         [slot](const grpc::Status&, grpc::ByteBuffer*) {}));
  slot = nullptr;
  EXPECT_TRUE(weak.expired());
}

}  // namespace
}  // namespace efl::test
