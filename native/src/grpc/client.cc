#include "grpc/client.h"

#include <chrono>
#include <utility>
#include <vector>

#include "grpc/grpc_status.h"
#include "grpc/steady_time.h"
#include "grpc/tuning.h"
#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"

namespace efl {
namespace {

// What ends whatever goes on over the next connection.
grpc::Status OfTheConnection(const Status& why) {
  return {grpc::StatusCode::UNAVAILABLE, ToGrpc(why).error_message()};
}

}  // namespace

// What the queue still owes us a tag for. Registered with the client from before its start until
// its tag has run, so that the queue is shut down only when nothing can be started on it any more.
class Client::Pending : public ClientCall {
 public:
  // Ends it because its connection is given up.
  virtual void Cut(const Status& why) = 0;
  virtual bool unary() const { return false; }
  // What it goes over; null: nothing yet, or never.
  virtual std::shared_ptr<Line> line() const { return nullptr; }
};

// Whether the certificate of the server at the other end of a line was verified and not let in:
// gRPC calls that UNAVAILABLE.
class Client::Refusal {
 public:
  Status Note(const PeerCertificatePtr& server, const Status& verdict) {
    std::lock_guard<std::mutex> lock(mutex_);
    last_ = verdict;
    server_ = server;
    return verdict;
  }
  PeerCertificatePtr server() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return server_;
  }
  grpc::Status Explain(const grpc::Status& status) const {
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return status;
    std::lock_guard<std::mutex> lock(mutex_);
    if (last_.ok()) return status;
    return {grpc::StatusCode::UNAUTHENTICATED, last_.message()};
  }

 private:
  mutable std::mutex mutex_;
  Status last_;
  PeerCertificatePtr server_;
};

class Client::Unary final : public Client::Pending,
                            public std::enable_shared_from_this<Client::Unary> {
 public:
  Unary(Client* client, int64_t timeout_ms, Answer answer, WhenCut when_cut)
      : client_(client),
        answer_(std::move(answer)),
        when_cut_(when_cut),
        tag_([this](bool) { OnDone(); }) {
    if (timeout_ms > 0) {
      context_.set_deadline(SteadyTimeAfter(timeout_ms));
    }
  }

  void Start(const char* method, const grpc::ByteBuffer& request) {
    self_ = shared_from_this();
    client_->gate_.Expect(1);
    const auto line = client_->LineOf(0);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      line_ = line;
    }
    reader_ = line->stub->PrepareUnaryCall(&context_, method, request, &client_->queue_);
    reader_->StartCall();
    reader_->Finish(&response_, &status_, tag_.Hand());
  }

  void Refuse(const grpc::Status& status) { std::exchange(answer_, nullptr)(status, &response_); }

  void Cancel(const Status&) override { context_.TryCancel(); }
  bool unary() const override { return true; }
  std::shared_ptr<Line> line() const override {
    std::lock_guard<std::mutex> lock(mutex_);
    return line_;
  }
  void Cut(const Status& why) override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      cut_ = when_cut_ == WhenCut::kEnds ? ToGrpc(why) : OfTheConnection(why);
    }
    context_.TryCancel();
  }

 private:
  void OnDone() {
    const auto self = std::move(self_);
    client_->gate_.Expect(-1);
    std::exchange(answer_, nullptr)(Outcome(), &response_);
    client_->Remove(self);
  }

  grpc::Status Outcome() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!cut_.ok() && !status_.ok()) {
      return cut_;
    }
    return line_ == nullptr ? status_ : line_->refusal->Explain(status_);
  }

  Client* const client_;
  Answer answer_;
  const WhenCut when_cut_;
  Tag tag_;
  grpc::ClientContext context_;
  grpc::ByteBuffer response_;
  grpc::Status status_;
  std::shared_ptr<Line> line_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
  std::shared_ptr<Unary> self_;

  mutable std::mutex mutex_;
  grpc::Status cut_;
};

class Client::Streaming final : public Client::Pending,
                                public Stream,
                                public std::enable_shared_from_this<Client::Streaming> {
 public:
  Streaming(Client* client, StreamEventsPtr events)
      : client_(client),
        events_(std::move(events)),
        opened_tag_([this](bool ok) { OnOpened(ok); }),
        read_tag_([this](bool ok) { OnRead(ok); }),
        written_tag_([this](bool ok) { OnWritten(ok); }),
        finished_tag_([this](bool) { Returned(); }) {}

  void Start(const char* method, int connection) {
    self_ = shared_from_this();
    const auto line = client_->LineOf(connection);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      line_ = line;
    }
    rpc_ = line->stub->PrepareCall(&context_, method, client_->stream_queue_);
    rpc_->StartCall(opened_tag_.Hand());
  }

  void Write(const grpc::ByteBuffer& message) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (finishing_) return;
    ++owed_;
    rpc_->Write(message, written_tag_.Hand());
  }

  void Close(const grpc::Status& status) override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (closed_.ok()) closed_ = status;
    }
    context_.TryCancel();
  }
  void Cancel(const Status& why) override { Close(ToGrpc(why)); }
  void Cut(const Status& why) override { Close(OfTheConnection(why)); }
  std::shared_ptr<Line> line() const override {
    std::lock_guard<std::mutex> lock(mutex_);
    return line_;
  }

 private:
  void OnOpened(bool ok) {
    if (ok) events_->OnOpen(shared_from_this());
    ReadOrFinish(ok);
  }

  void OnRead(bool ok) {
    if (ok) events_->OnMessage(&message_);
    ReadOrFinish(ok);
  }

  void ReadOrFinish(bool ok) {
    message_.Clear();
    if (ok) {
      rpc_->Read(&message_, read_tag_.Hand());
      return;
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      finishing_ = true;
    }
    rpc_->Finish(&status_, finished_tag_.Hand());
  }

  void OnWritten(bool ok) {
    if (ok) events_->OnWritten();
    Returned();
  }

  void Returned() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (--owed_ > 0) return;
    }
    const auto self = std::move(self_);
    std::exchange(events_, nullptr)->OnClosed(Outcome());
    client_->Remove(self);
  }

  grpc::Status Outcome() {
    std::lock_guard<std::mutex> lock(mutex_);
    const bool cancelled = status_.error_code() == grpc::StatusCode::CANCELLED;
    return cancelled && !closed_.ok() ? closed_ : line_->refusal->Explain(status_);
  }

  Client* const client_;
  StreamEventsPtr events_;
  Tag opened_tag_;
  Tag read_tag_;
  Tag written_tag_;
  Tag finished_tag_;
  grpc::ClientContext context_;
  grpc::ByteBuffer message_;
  grpc::Status status_;
  std::shared_ptr<Line> line_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> rpc_;
  std::shared_ptr<Streaming> self_;

  mutable std::mutex mutex_;
  int owed_ = 1;  // tags that are still to come: those of reading, up to the end, are one
  bool finishing_ = false;
  grpc::Status closed_;  // why, by this party
};

class Client::Timer final : public Client::Pending,
                            public std::enable_shared_from_this<Client::Timer> {
 public:
  Timer(Client* client, Alarm run)
      : client_(client), run_(std::move(run)), tag_([this](bool ok) { OnDone(ok); }) {}

  void Start(int64_t ms) {
    self_ = shared_from_this();
    std::lock_guard<std::mutex> lock(mutex_);
    alarm_.Set(client_->stream_queue_, SteadyTimeAfter(ms), tag_.Hand());
  }

  void Cancel(const Status&) override {
    std::lock_guard<std::mutex> lock(mutex_);
    alarm_.Cancel();
  }
  void Cut(const Status&) override {}

 private:
  void OnDone(bool ok) {
    const auto self = std::move(self_);
    if (ok) run_();
    run_ = nullptr;
    client_->Remove(self);
  }

  Client* const client_;
  Alarm run_;
  Tag tag_;
  std::mutex mutex_;  // gRPC's alarm is set and cancelled by one at a time
  grpc::Alarm alarm_;
  std::shared_ptr<Timer> self_;
};

namespace {

std::shared_ptr<grpc::Channel> MakeChannel(const ClientOptions& options, const TlsIdentity& tls,
                                           const CheckServer& check) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(static_cast<int>(options.max_send_message_size));
  arguments.SetMaxReceiveMessageSize(static_cast<int>(options.max_receive_message_size));
  // A peer that isn't there yet is the ordinary case: dial again soon. Whoever dials has a pause of
  // its own that grows. The least pause is also what TCP, TLS and the first settings may take in
  // all.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  // Peers of one process don't share connections, nor does a peer with its closed predecessor.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Whoever calls knows whether it may call again. And an answer without a status, be it damaged or
  // from somebody hostile, takes the process down there.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // A proxy would see, and could change, what the parties send.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  TuneConnection([&](const char* name, int value) { arguments.SetInt(name, value); });
  if (!tls.target_name_override.empty()) {
    arguments.SetSslTargetNameOverride(tls.target_name_override);
  }
  return grpc::CreateCustomChannel(options.address, ChannelCredentialsOf(tls, check), arguments);
}

}  // namespace

Client::Client(const ClientOptions& options, TlsFilesPtr tls, CheckServer check,
               grpc::CompletionQueue* stream_queue)
    : options_(options),
      tls_(std::move(tls)),
      check_(std::move(check)),
      stream_queue_(stream_queue) {
  for (int i = 0; i < options.connections && !options.address.empty(); ++i) {
    lines_.push_back(MakeLine());
  }
  threads_.Start(&queue_, options.thread_num, &gate_);
}

Client::~Client() { Close(); }

std::shared_ptr<Client::Line> Client::MakeLine() const {
  auto line = std::make_shared<Line>();
  line->refusal = std::make_shared<Refusal>();
  const CheckServer check = [refusal = line->refusal,
                             check = check_](const PeerCertificatePtr& certificate) {
    return refusal->Note(certificate, check != nullptr ? check(certificate) : Status());
  };
  line->channel = MakeChannel(options_, *tls_->now(), check);
  line->stub = std::make_unique<grpc::GenericStub>(line->channel);
  return line;
}

std::shared_ptr<Client::Line> Client::LineOf(int connection) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return lines_[static_cast<size_t>(connection)];
}

void Client::Replace(int connection, bool coming) {
  if (options_.address.empty()) return;
  const auto index = static_cast<size_t>(connection);
  std::shared_ptr<Line> line;
  std::lock_guard<std::mutex> renewing(renewing_);
  line = MakeLine();
  line->coming = coming;
  std::lock_guard<std::mutex> lock(mutex_);
  if (!closing_ && index < lines_.size()) lines_[index].swap(line);
}

void Client::Renew(int connection) { Replace(connection, /*coming=*/false); }

void Client::RenewAll() {
  for (int i = 0; i < options_.connections; ++i) Replace(i, /*coming=*/true);
}

std::vector<std::shared_ptr<Client::Pending>> Client::UnderWay() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return {pending_.begin(), pending_.end()};
}

void Client::Break(const Status& why) {
  Renew(0);
  for (const auto& pending : UnderWay()) {
    if (pending->unary()) pending->Cut(why);
  }
}

void Client::Cut(const Status& why) {
  for (int i = 0; i < options_.connections; ++i) Renew(i);
  for (const auto& pending : UnderWay()) pending->Cut(why);
}

void Client::CutRefused(const CheckServer& check) {
  for (const auto& pending : UnderWay()) {
    const auto line = pending->line();
    const PeerCertificatePtr server = line != nullptr ? line->refusal->server() : nullptr;
    if (server == nullptr) continue;
    if (const Status refused = check(server); !refused.ok()) pending->Cut(refused);
  }
}

bool Client::Add(const std::shared_ptr<Pending>& pending) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closing_) return false;
  pending_.insert(pending);
  return true;
}

void Client::Remove(const std::shared_ptr<Pending>& pending) {
  std::lock_guard<std::mutex> lock(mutex_);
  pending_.erase(pending);
  if (pending_.empty()) none_pending_.notify_all();
}

std::shared_ptr<ClientCall> Client::Call(const char* method, const grpc::ByteBuffer& request,
                                         int64_t timeout_ms, Answer answer, WhenCut when_cut) {
  auto call = std::make_shared<Unary>(this, timeout_ms, std::move(answer), when_cut);
  if (options_.address.empty()) {
    call->Refuse({grpc::StatusCode::UNAVAILABLE, "this party has no address of the peer"});
  } else if (Add(call)) {
    call->Start(method, request);
  } else {
    call->Refuse({grpc::StatusCode::CANCELLED, "Already Closed."});
  }
  return call;
}

void Client::Open(const char* method, int connection, const StreamEventsPtr& events) {
  const auto stream = std::make_shared<Streaming>(this, events);
  if (Add(stream)) stream->Start(method, connection);
}

void Client::After(int64_t ms, Alarm alarm) {
  auto timer = std::make_shared<Timer>(this, std::move(alarm));
  if (Add(timer)) timer->Start(ms);
}

bool Client::ready() const {
  if (options_.address.empty()) return false;
  const auto line = LineOf(0);
  switch (line->channel->GetState(/*try_to_connect=*/line->coming)) {
    case GRPC_CHANNEL_READY:
      line->coming = false;
      return true;
    case GRPC_CHANNEL_IDLE:
    case GRPC_CHANNEL_CONNECTING:
      return line->coming;
    default:
      return false;
  }
}

void Client::Close() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (closed_) return;
  closing_ = true;
  // Cancelled outside the lock, and again until all are gone: one may have been added but not yet
  // started when it was cancelled.
  while (!pending_.empty()) {
    std::vector<std::shared_ptr<Pending>> open(pending_.begin(), pending_.end());
    lock.unlock();
    for (const auto& pending : open) pending->Cancel({Code::kCancelled, "Already Closed."});
    open.clear();  // may be the last to know them, and what they hold goes without the lock
    lock.lock();
    none_pending_.wait_for(lock, std::chrono::milliseconds(20),
                           [this] { return pending_.empty(); });
  }
  closed_ = true;
  lock.unlock();
  queue_.Shutdown();
  gate_.Remove();
  threads_.Join();
}

}  // namespace efl
