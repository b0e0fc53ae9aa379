#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "grpc_cpp.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "process.h"

namespace efl::bench {
namespace {

constexpr size_t kChunk = size_t{1} << 20;

// At both ends. TUNING.md says what else was tried, and why it isn't here.
const std::vector<std::pair<std::string, int>>& Arguments() {
  static const auto& arguments = *new std::vector<std::pair<std::string, int>>{
      {GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1},
      {GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1},
  };
  return arguments;
}

std::vector<std::pair<std::string, int>> ArgumentsOf(const Args& args) {
  std::vector<std::pair<std::string, int>> arguments = Arguments();
  for (const auto& [key, value] : args.channels) {
    arguments.emplace_back(key, std::atoi(value.c_str()));
  }
  return arguments;
}

// As the kernel does: abseil, as Debian builds it, looks for a deadlock at each lock.
void SetUpGrpc() { absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore); }

std::string Read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  if (!(content << in.rdbuf())) Die(path + " can't be read");
  return content.str();
}

}  // namespace

size_t ChunkOf(const Args& args) { return args.chunk != 0 ? args.chunk : kChunk; }

std::shared_ptr<grpc::Channel> MakeChannel(const Args& args) {
  SetUpGrpc();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // as the kernel
  for (const auto& [key, value] : ArgumentsOf(args)) arguments.SetInt(key, value);
  auto credentials = grpc::InsecureChannelCredentials();
  if (!args.tls.empty()) {
    credentials =
        grpc::SslCredentials({Read(args.tls + "/ca.crt"), Read(args.tls + "/follower.key"),
                              Read(args.tls + "/follower.crt")});
  }
  return grpc::CreateCustomChannel("localhost:" + std::to_string(args.port), credentials,
                                   arguments);
}

void Tune(const Args& args, grpc::ServerBuilder* builder) {
  SetUpGrpc();
  for (const auto& [key, value] : ArgumentsOf(args)) builder->AddChannelArgument(key, value);
  auto credentials = grpc::InsecureServerCredentials();
  if (!args.tls.empty()) {
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = Read(args.tls + "/ca.crt");
    options.pem_key_cert_pairs.push_back(
        {Read(args.tls + "/leader.key"), Read(args.tls + "/leader.crt")});
    credentials = grpc::SslServerCredentials(options);
  }
  builder->AddListeningPort("localhost:" + std::to_string(args.port), credentials);
}

grpc::ByteBuffer Pack(uint64_t number) {
  const grpc::Slice slice(&number, sizeof(number));
  return {&slice, 1};
}

uint64_t Unpack(const grpc::ByteBuffer& message) {
  grpc::Slice slice;
  uint64_t number = 0;
  if (!message.DumpToSingleSlice(&slice).ok() || slice.size() != sizeof(number)) {
    Die("an answer that can't be read");
  }
  std::copy(slice.begin(), slice.end(), reinterpret_cast<uint8_t*>(&number));
  return number;
}

}  // namespace efl::bench
