// Strangers who send large messages for as long as they are read.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "efl/link_service.grpc.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "support/child.h"
#include "support/pair.h"
#include "support/resident_bytes.h"

namespace efl::test {
namespace {

constexpr int kConnections = 8;
constexpr int kCallsEach = 4;
constexpr size_t kMessage = size_t{512} << 20;
// Large beside what a pair and eight connections take anyway.
constexpr int64_t kLimitBytes = 256 << 20;

// Another process: calls at once, each with a message of half a GiB, which it never waits for.
void Flood(int port) {
  const grpc::Slice megabyte(std::string(1 << 20, 'x'));
  const std::vector<grpc::Slice> slices(kMessage >> 20, megabyte);
  const grpc::ByteBuffer message(slices.data(), slices.size());
  grpc::CompletionQueue queue;
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::GenericClientAsyncReaderWriter>> calls;
  for (int i = 0; i < kConnections; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxSendMessageSize(-1);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channels.push_back(grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port),
                                                 grpc::InsecureChannelCredentials(), arguments));
    stubs.push_back(std::make_unique<grpc::GenericStub>(channels.back()));
    for (int k = 0; k < kCallsEach; ++k) {
      contexts.push_back(std::make_unique<grpc::ClientContext>());
      calls.push_back(
          stubs.back()->PrepareCall(contexts.back().get(), "/efl.LinkService/Exchange", &queue));
      calls.back()->StartCall(calls.back().get());
    }
  }
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
    if (ok) static_cast<grpc::GenericClientAsyncReaderWriter*>(tag)->Write(message, tag);
  }
}

const ChildProgram kStrangers("strangers", &Flood);

TEST(FloodTest, ShouldHoldTheLimitOfMemoryAndServeItsPeer) {
  Pair pair;
  for (Party* party : {&pair.leader, &pair.follower}) {
    party->options.wire = WireChoice::kLink;
    party->options.server_memory_bytes = kLimitBytes;
  }
  pair.Connect();
  Exchange(&pair);
  const int64_t before = ResidentBytes();
  int64_t most = before;
  int exchanged = 0;
  {
    const Child strangers("strangers", pair.leader.node->port());
    const std::vector<float> values(20'000, 1.5f);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(4);
    for (int step = 100; std::chrono::steady_clock::now() < until; ++step) {
      ASSERT_NO_FATAL_FAILURE(Exchange(&pair, step, values));
      most = std::max(most, ResidentBytes());
      ++exchanged;
    }
  }
  std::printf("%d tensors exchanged, %.1f MiB of memory taken\n", exchanged,
              static_cast<double>(most - before) / (1 << 20));
  EXPECT_GT(most - before, kLimitBytes / 4) << "there was no flood";
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they keep what is freed
  // gRPC's buffers take up to twice what it counts of them.
  EXPECT_LE(most - before, 2 * kLimitBytes);
#endif
}

}  // namespace
}  // namespace efl::test
