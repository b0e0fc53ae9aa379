// The Client: a channel to one address, its completion queue and the threads that take the answers.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "grpc/threads.h"
#include "grpc/tls.h"
#include "grpcpp/channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"

namespace efl {

struct ClientOptions {
  std::string address;
  int thread_num = 1;
  int64_t max_send_message_size = 0;
  int64_t max_receive_message_size = 0;
};

// One RPC under way. Cancel may be called at any time, from any thread, and more than once.
class ClientCall {
 public:
  virtual ~ClientCall() = default;
  virtual void Cancel() = 0;
};

// Where an RPC will be found by somebody who may want to cancel it before it has even started.
class CallSlot {
 public:
  // The RPC under way now; cancelled at once when the slot was.
  void Hold(std::shared_ptr<ClientCall> call);
  void Cancel();

 private:
  std::mutex mutex_;
  std::shared_ptr<ClientCall> call_;
  bool cancelled_ = false;
};

class Client {
 public:
  // Runs once, on a client thread; on the calling one when the client is closed.
  using Answer = std::function<void(const grpc::Status&, grpc::ByteBuffer*)>;
  using Alarm = std::function<void()>;

  Client(const ClientOptions& options, const TlsIdentity& tls);
  // Close first.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Starts a unary call. timeout_ms 0: without a deadline of its own.
  std::shared_ptr<ClientCall> Call(const char* method, const grpc::ByteBuffer& request,
                                   int64_t timeout_ms, Answer answer);

  // Runs `alarm` on a client thread after this time; drops it when the client is closed before.
  void After(int64_t ms, Alarm alarm);

  // Whether there is a connection now.
  bool ready() const;

  // Cancels what is open, waits until all of it has ended, joins the threads.
  void Close();

 private:
  class Unary;
  class Timer;
  class Pending;

  bool Add(const std::shared_ptr<Pending>& pending);
  void Remove(const std::shared_ptr<Pending>& pending);

  std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  QueueThreads threads_;

  std::mutex mutex_;
  std::condition_variable none_pending_;
  std::unordered_set<std::shared_ptr<Pending>> pending_;
  bool closing_ = false;
  bool closed_ = false;
};

}  // namespace efl
