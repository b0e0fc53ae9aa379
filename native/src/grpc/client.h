// The Client: channels to one address, its completion queue and the threads that take the answers.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/status.h"
#include "grpc/credentials.h"
#include "grpc/stream.h"
#include "grpc/threads.h"
#include "grpcpp/channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"

namespace efl {

struct ClientOptions {
  std::string address;  // empty: the client only keeps time, and every call is UNAVAILABLE
  int thread_num = 1;
  int connections = 1;
  int64_t max_send_message_size = 0;
  int64_t max_receive_message_size = 0;
};

// One call under way. Cancel may be called at any time, from any thread, and more than once.
class ClientCall {
 public:
  virtual ~ClientCall() = default;
  // Why it isn't wanted any more; what the other party learns of that is up to the call.
  virtual void Cancel(const Status& why) = 0;
};

// What is cancelled by a function.
class CancelBy final : public ClientCall {
 public:
  explicit CancelBy(std::function<void(const Status&)> cancel) : cancel_(std::move(cancel)) {}
  void Cancel(const Status& why) override { cancel_(why); }

 private:
  const std::function<void(const Status&)> cancel_;
};

// Where a call will be found by somebody who may want to cancel it before it has even started.
class CallSlot {
 public:
  // The call under way now; cancelled at once when the slot was.
  void Hold(std::shared_ptr<ClientCall> call);
  void Cancel(const Status& why);
  // OK: it isn't.
  Status cancelled() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<ClientCall> call_;
  Status cancelled_;
};

class Client {
 public:
  // Runs once, on a client thread; on the calling one when it is refused.
  using Answer = std::function<void(const grpc::Status&, grpc::ByteBuffer*)>;
  using Alarm = std::function<void()>;

  // `check` has the last word on a server's certificate, and keeps what it takes alive.
  // `stream_queue`: whose threads serve the streams and the alarms; it outlives Close.
  Client(const ClientOptions& options, TlsFilesPtr tls, CheckServer check,
         grpc::CompletionQueue* stream_queue);
  // Close first.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // What a call ends with whose connection is given up: the reason, or, where it is made again over
  // the next one, UNAVAILABLE. What was wrong with the one says nothing of the other: the server
  // may have another certificate by then.
  enum class WhenCut { kEnds, kIsMadeAgain };

  // Starts a unary call. timeout_ms 0: without a deadline of its own.
  std::shared_ptr<ClientCall> Call(const char* method, const grpc::ByteBuffer& request,
                                   int64_t timeout_ms, Answer answer,
                                   WhenCut when_cut = WhenCut::kEnds);

  // Opens a stream over one of the connections. Without any event when the client is closed.
  void Open(const char* method, int connection, const StreamEventsPtr& events);

  // Runs `alarm` after this time; drops it when the client is closed before.
  void After(int64_t ms, Alarm alarm);

  // Whether there is a connection now. One of RenewAll is made then, and counts from the beginning
  // until it can't be made or breaks.
  bool ready() const;

  // Calls that start from now on go over a new connection, made with the certificates as they are
  // now and without any pause of gRPC's own; the old one goes with its last call. For one that
  // nothing comes through any more, or that can't be made.
  void Renew(int connection);
  // The same of all, of which nothing is wrong with those there are.
  void RenewAll();
  // Renews the first one and ends the unary calls under way, with this status.
  void Break(const Status& why);
  // Renews all and ends all calls and streams.
  void Cut(const Status& why);
  // Ends the calls and streams to servers whose certificates are refused now.
  void CutRefused(const CheckServer& check);

  // Cancels what is open, waits until all of it has ended, joins the threads.
  void Close();

 private:
  class Unary;
  class Streaming;
  class Timer;
  class Pending;
  class Refusal;

  // What calls of a connection go over now, and what was found out about the server there.
  struct Line {
    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<grpc::GenericStub> stub;
    std::shared_ptr<Refusal> refusal;
    // Until it is connected for the first time, in place of one that was.
    std::atomic<bool> coming{false};
  };
  void Replace(int connection, bool coming);
  std::shared_ptr<Line> MakeLine() const;
  std::shared_ptr<Line> LineOf(int connection) const;
  bool Add(const std::shared_ptr<Pending>& pending);
  void Remove(const std::shared_ptr<Pending>& pending);
  std::vector<std::shared_ptr<Pending>> UnderWay() const;

  const ClientOptions options_;
  const TlsFilesPtr tls_;
  const CheckServer check_;
  grpc::CompletionQueue* const stream_queue_;
  grpc::CompletionQueue queue_;
  Gate gate_;
  QueueThreads threads_;

  // Held while a line is made and put in place: what was read of the files before they changed
  // doesn't replace what was after.
  std::mutex renewing_;
  mutable std::mutex mutex_;
  // One for each connection; none without an address.
  std::vector<std::shared_ptr<Line>> lines_;
  std::condition_variable none_pending_;
  std::unordered_set<std::shared_ptr<Pending>> pending_;
  bool closing_ = false;
  bool closed_ = false;
};

}  // namespace efl
