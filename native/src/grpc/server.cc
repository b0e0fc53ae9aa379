#include "grpc/server.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/address.h"
#include "grpc/steady_time.h"
#include "grpc/tuning.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server_builder.h"

namespace efl {

namespace {

// A connection is to be able to carry calls by then.
constexpr int kHandshakeMs = 10'000;
// And is closed after so long without one.
constexpr int kMostIdleMs = 300'000;

}  // namespace

namespace {

// Why the address could not be bound, asked of the system itself: gRPC only logs it.
Status ExplainBind(const std::string& address) {
  const auto [host, port] = SplitAddress(address);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) {
    return {Code::kInvalidArgument, absl::StrCat("cannot listen on ", address, ": ", host,
                                                 " does not resolve: ", gai_strerror(error))};
  }
  std::string why = "gRPC could not bind it";
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    const int fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
    if (fd < 0) continue;
    const int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, 1) != 0)
      why = std::strerror(errno);
    close(fd);
  }
  freeaddrinfo(found);
  return {Code::kUnavailable, absl::StrCat("cannot listen on ", address, ": ", why)};
}

// Who connects and then says nothing, or no end of it, must not use up what the peer needs.
void LimitConnections(const ServerOptions& options, grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kMostIdleMs);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                              static_cast<int>(options.max_streams));
  if (options.keepalive_interval_ms > 0) {
    // What the wires have found dead long before is cleared away. An answer may wait behind what
    // else is on a narrow line.
    const int64_t after = options.keepalive_interval_ms + options.keepalive_timeout_ms;
    builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                                static_cast<int>(std::clamp<int64_t>(after, 1000, INT32_MAX)));
    builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                                static_cast<int>(std::clamp<int64_t>(4 * after, 1000, INT32_MAX)));
    builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
}

}  // namespace

Server::Server(const ServerOptions& options, TlsFilesPtr tls)
    : options_(options), credentials_(ServerCredentialsOf(tls)), callers_(std::move(tls)) {}

Server::~Server() { Shutdown(); }

void Server::Add(grpc::Service* service, std::vector<ServerMethod> methods) {
  services_.push_back(service);
  for (ServerMethod& method : methods) {
    methods_.push_back(std::make_unique<const ServerMethod>(std::move(method)));
  }
}

void Server::Add(grpc::Service* service, ServerStreamMethod method) {
  services_.push_back(service);
  stream_methods_.push_back(std::make_unique<const ServerStreamMethod>(std::move(method)));
}

void Server::LimitMemory(int64_t bytes) {
  if (bytes > 0) memory_.Resize(static_cast<size_t>(bytes));
}

Status Server::Start() {
  if (options_.address.empty()) {
    queue_ = std::make_unique<grpc::CompletionQueue>();
    threads_.Start(queue_.get(), options_.thread_num);
    return {};
  }
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options_.address, credentials_, &port_);
  // Two processes on one port would take turns with the peer's messages.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  TuneConnection([&](const char* name, int value) { builder.AddChannelArgument(name, value); });
  LimitConnections(options_, &builder);
  if (options_.memory_bytes > 0) {
    LimitMemory(options_.memory_bytes);
    builder.SetResourceQuota(memory_);
  }
  builder.SetMaxSendMessageSize(static_cast<int>(options_.max_send_message_size));
  builder.SetMaxReceiveMessageSize(static_cast<int>(options_.max_receive_message_size));
  for (grpc::Service* service : services_) builder.RegisterService(service);
  std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  accept_queue_ = queue.get();
  queue_ = std::move(queue);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) {
    queue_->Shutdown();
    threads_.Start(queue_.get(), 1);
    threads_.Join();
    queue_ = nullptr;
    return ExplainBind(options_.address);
  }
  threads_.Start(queue_.get(), options_.thread_num);
  for (const auto& method : methods_) Accept(*method);
  for (const auto& method : stream_methods_) Accept(*method);
  return {};
}

void Server::CountUnanswered(int change) {
  std::lock_guard<std::mutex> lock(accepting_);
  unanswered_ += change;
  if (unanswered_ == 0) all_answered_.notify_all();
}

void Server::Stop() {
  {
    std::lock_guard<std::mutex> lock(accepting_);
    if (shutting_down_) return;
    shutting_down_ = true;
  }
  if (server_ == nullptr) return;
  server_->Shutdown(SteadyTimeAfter(1000));
  std::unique_lock<std::mutex> lock(accepting_);
  all_answered_.wait(lock, [this] { return unanswered_ == 0; });
}

void Server::Shutdown() {
  if (queue_ == nullptr) return;
  Stop();
  queue_->Shutdown();
  threads_.Join();
  server_ = nullptr;
  queue_ = nullptr;
}

}  // namespace efl
