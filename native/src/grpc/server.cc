#include "grpc/server.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "grpc/tuning.h"
#include "grpcpp/server_builder.h"

namespace efl {

// Owns itself while gRPC holds a tag of it: from acceptance until both the answer is out and the
// call is over.
class Server::Unary final : public ServerCall, public std::enable_shared_from_this<Server::Unary> {
 public:
  Unary(Server* server, const ServerMethod* method)
      : server_(server),
        method_(method),
        accepted_tag_([this](bool ok) { OnAccepted(ok); }),
        over_tag_([this](bool) { OnOver(); }),
        answered_tag_([this](bool ok) { OnAnswered(ok); }),
        writer_(&context_) {}

  void Accept() {
    while_open_ = shared_from_this();
    while_accepting_ = while_open_;
    context_.AsyncNotifyWhenDone(over_tag_.Hand());
    method_->accept(&context_, &request_, &writer_, server_->accept_queue_, server_->accept_queue_,
                    accepted_tag_.Hand());
  }

  grpc::ByteBuffer* request() override { return &request_; }

  void Answer(const grpc::ByteBuffer& response, Sent sent) override {
    if (!TakeAnswer(std::move(sent))) return;
    writer_.Finish(response, grpc::Status::OK, answered_tag_.Hand());
    server_->CountUnanswered(-1);
  }

  void Fail(const grpc::Status& status) override {
    if (!TakeAnswer(nullptr)) return;
    writer_.FinishWithError(status, answered_tag_.Hand());
    server_->CountUnanswered(-1);
  }

  void OnGivenUp(std::function<void()> given_up) override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (answered_) return;
      if (!over_) {
        given_up_ = std::move(given_up);
        return;
      }
    }
    given_up();
  }

 private:
  // What a handler holds: the last one to let go without an answer answers CANCELLED.
  class Handle;

  bool TakeAnswer(Sent sent) {
    std::function<void()> dropped;  // destroyed outside the lock
    std::lock_guard<std::mutex> lock(mutex_);
    if (answered_) return false;
    answered_ = true;
    sent_ = std::move(sent);
    dropped = std::move(given_up_);
    given_up_ = nullptr;
    while_answering_ = shared_from_this();
    return true;
  }

  void OnAccepted(bool ok);

  void OnOver() {
    const auto self = std::move(while_open_);
    std::function<void()> given_up;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      over_ = true;
      given_up = std::move(given_up_);
      given_up_ = nullptr;
    }
    if (given_up) given_up();
  }

  void OnAnswered(bool ok) {
    const auto self = std::move(while_answering_);
    if (sent_) std::exchange(sent_, nullptr)(ok);
  }

  Server* const server_;
  const ServerMethod* const method_;
  Tag accepted_tag_;
  Tag over_tag_;
  Tag answered_tag_;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  ServerMethod::Writer writer_;
  // One for each tag that gRPC holds; two threads may get two of them at once, in any order.
  std::shared_ptr<Unary> while_accepting_;
  std::shared_ptr<Unary> while_open_;
  std::shared_ptr<Unary> while_answering_;

  std::mutex mutex_;
  bool answered_ = false;
  bool over_ = false;
  Sent sent_;
  std::function<void()> given_up_;
};

class Server::Unary::Handle final : public ServerCall {
 public:
  explicit Handle(std::shared_ptr<Unary> call) : call_(std::move(call)) {}
  ~Handle() override { call_->Fail({grpc::StatusCode::CANCELLED, "The call was dropped."}); }

  grpc::ByteBuffer* request() override { return call_->request(); }
  void Answer(const grpc::ByteBuffer& response, Sent sent) override {
    call_->Answer(response, std::move(sent));
  }
  void Fail(const grpc::Status& status) override { call_->Fail(status); }
  void OnGivenUp(std::function<void()> given_up) override { call_->OnGivenUp(std::move(given_up)); }

 private:
  const std::shared_ptr<Unary> call_;
};

void Server::Unary::OnAccepted(bool ok) {
  const auto self = std::move(while_accepting_);
  if (!ok) {  // the server is shutting down; the other tags never come
    while_open_ = nullptr;
    server_->CountUnanswered(-1);
    return;
  }
  server_->Accept<Unary>(*method_);
  method_->handle(std::make_shared<Handle>(self));
}

// Owns itself likewise. Each of its tags is owed at most once at a time.
class Server::Streaming final : public Stream,
                                public std::enable_shared_from_this<Server::Streaming> {
 public:
  Streaming(Server* server, const ServerStreamMethod* method)
      : server_(server),
        method_(method),
        accepted_tag_([this](bool ok) { OnAccepted(ok); }),
        over_tag_([this](bool) { Returned(); }),
        read_tag_([this](bool ok) { OnRead(ok); }),
        written_tag_([this](bool ok) { OnWritten(ok); }),
        finished_tag_([this](bool) { Returned(); }),
        rpc_(&context_) {}

  void Accept() {
    self_ = shared_from_this();
    context_.AsyncNotifyWhenDone(over_tag_.Hand());
    method_->accept(&context_, &rpc_, server_->accept_queue_, server_->accept_queue_,
                    accepted_tag_.Hand());
  }

  void Write(const grpc::ByteBuffer& message) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closing_ || finishing_) return;
    writing_ = true;
    ++owed_;
    rpc_.Write(message, written_tag_.Hand());
  }

  void Close(const grpc::Status& status) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closing_ || finishing_) return;
    closing_ = true;
    status_ = status;
    // A message under way may be waiting for the peer for good.
    if (writing_) {
      context_.TryCancel();
    } else {
      Finish();
    }
  }

 private:
  void OnAccepted(bool ok) {
    if (!ok) {  // the server is shutting down; the other tag never comes
      const auto self = std::move(self_);
      server_->CountUnanswered(-1);
      return;
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      owed_ = 2;  // the end of the call, and the first read
    }
    server_->Accept<Streaming>(*method_);
    events_ = method_->handle(shared_from_this());
    if (events_ != nullptr) events_->OnOpen(shared_from_this());
    ReadOrFinish(true);
  }

  void OnRead(bool ok) {
    if (ok && events_ != nullptr) events_->OnMessage(&message_);
    ReadOrFinish(ok);
  }

  void ReadOrFinish(bool ok) {
    message_.Clear();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (ok && !finishing_) {
        rpc_.Read(&message_, read_tag_.Hand());
        return;
      }
      reading_ = false;
      if (!writing_) Finish();
    }
    Returned();
  }

  void OnWritten(bool ok) {
    bool more = false;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      writing_ = false;
      if (closing_ || !reading_) {
        Finish();
      } else {
        more = ok;
      }
    }
    if (more) events_->OnWritten();
    Returned();
  }

  // Under the lock, with no write under way.
  void Finish() {
    if (std::exchange(finishing_, true)) return;
    ++owed_;
    rpc_.Finish(status_, finished_tag_.Hand());
  }

  void Returned() {
    grpc::Status status;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (--owed_ > 0) return;
      status = status_;
    }
    const auto self = std::move(self_);
    if (events_ != nullptr) std::exchange(events_, nullptr)->OnClosed(status);
    server_->CountUnanswered(-1);
  }

  Server* const server_;
  const ServerStreamMethod* const method_;
  Tag accepted_tag_;
  Tag over_tag_;
  Tag read_tag_;
  Tag written_tag_;
  Tag finished_tag_;
  grpc::ServerContext context_;
  ServerStreamMethod::Rpc rpc_;
  grpc::ByteBuffer message_;
  StreamEventsPtr events_;
  std::shared_ptr<Streaming> self_;

  std::mutex mutex_;
  int owed_ = 0;
  bool reading_ = true;
  bool writing_ = false;
  bool closing_ = false;
  bool finishing_ = false;
  grpc::Status status_;  // as the peer will read it
};

namespace {

// Why the address could not be bound, asked of the system itself: gRPC only logs it.
Status ExplainBind(const std::string& address) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  host = std::string(absl::StripSuffix(absl::StripPrefix(host, "["), "]"));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found);
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

}  // namespace

Server::Server(const ServerOptions& options, const TlsIdentity& tls)
    : options_(options), credentials_(tls.ServerCredentials()) {}

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
  for (const auto& method : methods_) Accept<Unary>(*method);
  for (const auto& method : stream_methods_) Accept<Streaming>(*method);
  return {};
}

template <typename Call, typename Method>
void Server::Accept(const Method& method) {
  std::lock_guard<std::mutex> lock(accepting_);
  if (shutting_down_) return;
  ++unanswered_;
  std::make_shared<Call>(this, &method)->Accept();
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
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
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
