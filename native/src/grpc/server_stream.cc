// Calls that stream both ways.
#include <utility>

#include "grpc/grpc_status.h"
#include "grpc/server.h"
#include "grpc/tag.h"

namespace efl {

// Owns itself while gRPC holds a tag of it. Each of its tags is owed at most once at a time.
class Server::Streaming final : public Stream,
                                public Callers::Call,
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

  PeerCertificatePtr caller() const override { return caller_; }

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

  void Revoke(const Status& why) override { Close(ToGrpc(why)); }

 private:
  void OnAccepted(bool ok) {
    if (!ok) {  // the server is shutting down; the other tag never comes
      const auto self = std::move(self_);
      server_->CountUnanswered(-1);
      return;
    }
    server_->Accept(*method_);
    caller_ = server_->callers_.Of(context_);
    server_->callers_.Keep(shared_from_this(), caller_);
    if (const Status refused = server_->callers_.Admit(context_, caller_); !refused.ok()) {
      Revoke(refused);
    } else {
      events_ = method_->handle(shared_from_this());
    }
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
    server_->callers_.Forget(self);
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
  PeerCertificatePtr caller_;
  ServerStreamMethod::Rpc rpc_;
  grpc::ByteBuffer message_;
  StreamEventsPtr events_;
  std::shared_ptr<Streaming> self_;

  std::mutex mutex_;
  // The end of the call, of which another thread may hear first, and reading, up to its end.
  int owed_ = 2;
  bool reading_ = true;
  bool writing_ = false;
  bool closing_ = false;
  bool finishing_ = false;
  grpc::Status status_;  // as the peer will read it
};

void Server::Accept(const ServerStreamMethod& method) { AcceptAs<Streaming>(method); }

}  // namespace efl
