// The Server: listens, takes the peers' requests from one completion queue, and hands each to the
// service it is for.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "grpc/callers.h"
#include "grpc/credentials.h"
#include "grpc/stream.h"
#include "grpc/threads.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/async_unary_call.h"
#include "grpcpp/support/byte_buffer.h"

namespace efl {

struct ServerOptions {
  std::string address;  // empty: it doesn't listen
  int thread_num = 1;
  int64_t max_send_message_size = 0;
  int64_t max_receive_message_size = 0;
  int64_t memory_bytes = 0;  // of gRPC's own buffers; 0: no limit
  int64_t max_streams = 0;   // of one connection
  int64_t keepalive_interval_ms = 0;
  int64_t keepalive_timeout_ms = 0;
};

// One request under way, and the answer that its sender waits for. Held by whoever is going to
// answer; dropped unanswered, it answers CANCELLED.
class ServerCall {
 public:
  virtual ~ServerCall() = default;

  // gRPC's readers take it by pointer; they leave it as it is.
  virtual grpc::ByteBuffer* request() = 0;
  // Whoever calls, as far as the server asks; null: without a certificate.
  virtual const PeerCertificatePtr& caller() const = 0;

  // One of these, once. `sent` runs on a server thread, or before Answer returns; false: the answer
  // did not get out.
  using Sent = std::function<void(bool)>;
  virtual void Answer(const grpc::ByteBuffer& response, Sent sent) = 0;
  virtual void Fail(const grpc::Status& status) = 0;

  // Runs once, on a thread of the kernel, when the sender gives up before it was answered, or isn't
  // let in any more; at once when it has done so already.
  virtual void OnGivenUp(std::function<void()> given_up) = 0;
};
using ServerCallPtr = std::shared_ptr<ServerCall>;

// One RPC method: how gRPC accepts a call of it, and who handles it.
struct ServerMethod {
  using Writer = grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>;
  std::function<void(grpc::ServerContext*, grpc::ByteBuffer*, Writer*, grpc::CompletionQueue*,
                     grpc::ServerCompletionQueue*, void* tag)>
      accept;
  // Runs on a server thread.
  std::function<void(const ServerCallPtr&)> handle;
};

// The same of a method that streams both ways. Null events: the stream was closed at once.
struct ServerStreamMethod {
  using Rpc = grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;
  std::function<void(grpc::ServerContext*, Rpc*, grpc::CompletionQueue*,
                     grpc::ServerCompletionQueue*, void* tag)>
      accept;
  std::function<StreamEventsPtr(const StreamPtr&)> handle;
};

class Server {
 public:
  Server(const ServerOptions& options, TlsFilesPtr tls);
  // Shut down first.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Before Start. The service has to outlive the server.
  void Add(grpc::Service* service, std::vector<ServerMethod> methods);
  void Add(grpc::Service* service, ServerStreamMethod method);

  // Who may call.
  Callers* callers() { return &callers_; }

  // Another limit than the options', if they set one.
  void LimitMemory(int64_t bytes);

  // Listens. INVALID_ARGUMENT or UNAVAILABLE with the system's reason when it can't.
  Status Start();
  int port() const { return port_; }

  // Every call that was handed out has to be answered, or dropped, by then or soon.
  // Stops accepting, gives answers under way a second, cancels the rest.
  void Stop();
  // Joins the threads. Whoever else uses the queue has stopped to do so.
  void Shutdown();

  // Served by the threads of the server, also where it doesn't listen: for streams of this party's
  // own, so that one thread reads, and nobody has to be woken for what another has read.
  grpc::CompletionQueue* queue() { return queue_.get(); }

 private:
  class Unary;
  class Streaming;

  // Takes one more call of it.
  void Accept(const ServerMethod& method);
  void Accept(const ServerStreamMethod& method);
  template <typename Call, typename Method>
  void AcceptAs(const Method& method) {
    std::lock_guard<std::mutex> lock(accepting_);
    if (shutting_down_) return;
    ++unanswered_;
    std::make_shared<Call>(this, &method)->Accept();
  }
  void CountUnanswered(int change);

  const ServerOptions options_;
  const std::shared_ptr<grpc::ServerCredentials> credentials_;
  Callers callers_;
  grpc::ResourceQuota memory_;
  std::vector<grpc::Service*> services_;
  std::vector<std::unique_ptr<const ServerMethod>> methods_;
  std::vector<std::unique_ptr<const ServerStreamMethod>> stream_methods_;
  std::unique_ptr<grpc::CompletionQueue> queue_;
  grpc::ServerCompletionQueue* accept_queue_ = nullptr;  // the same, where it listens
  std::unique_ptr<grpc::Server> server_;
  QueueThreads threads_;
  int port_ = 0;

  // Held while a call is put up for acceptance, so that none is after the shutdown.
  std::mutex accepting_;
  bool shutting_down_ = false;
  // Put up for acceptance, or accepted, and not yet answered: the queue has to stay open for them.
  int64_t unanswered_ = 0;
  std::condition_variable all_answered_;
};

}  // namespace efl
