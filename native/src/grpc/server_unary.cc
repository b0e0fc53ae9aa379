// Calls of one request and one answer.
#include <utility>

#include "grpc/grpc_status.h"
#include "grpc/server.h"
#include "grpc/tag.h"

namespace efl {

// Owns itself while gRPC holds a tag of it: from acceptance until both the answer is out and the
// call is over.
class Server::Unary final : public ServerCall,
                            public Callers::Call,
                            public std::enable_shared_from_this<Server::Unary> {
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
  const PeerCertificatePtr& caller() const override { return caller_; }

  void Answer(const grpc::ByteBuffer& response, Sent sent) override {
    if (!TakeAnswer(&sent)) {
      if (sent) sent(false);  // it was revoked
      return;
    }
    writer_.Finish(response, grpc::Status::OK, answered_tag_.Hand());
    server_->CountUnanswered(-1);
  }

  void Fail(const grpc::Status& status) override {
    if (!TakeAnswer(nullptr)) return;
    writer_.FinishWithError(status, answered_tag_.Hand());
    server_->CountUnanswered(-1);
  }

  // For whoever was going to answer it, its sender has given up.
  void Revoke(const Status& why) override {
    std::function<void()> given_up;
    if (!TakeAnswer(nullptr, &given_up)) return;
    writer_.FinishWithError(ToGrpc(why), answered_tag_.Hand());
    server_->CountUnanswered(-1);
    if (given_up) given_up();
  }

  void OnGivenUp(std::function<void()> given_up) override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (answered_ && !revoked_) return;
      if (!over_ && !revoked_) {
        given_up_ = std::move(given_up);
        return;
      }
    }
    given_up();
  }

 private:
  // What a handler holds: the last one to let go without an answer answers CANCELLED.
  class Handle;

  // Whether the answer is the caller's to give. `revoked`: it is the server's, and whom to tell.
  bool TakeAnswer(Sent* sent, std::function<void()>* revoked = nullptr) {
    std::function<void()> dropped;  // destroyed outside the lock
    std::lock_guard<std::mutex> lock(mutex_);
    if (answered_) return false;
    answered_ = true;
    revoked_ = revoked != nullptr;
    if (sent != nullptr) sent_ = std::exchange(*sent, nullptr);
    (revoked_ ? *revoked : dropped) = std::exchange(given_up_, nullptr);
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
      given_up = std::exchange(given_up_, nullptr);
      server_->callers_.Forget(self);
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
  PeerCertificatePtr caller_;
  grpc::ByteBuffer request_;
  ServerMethod::Writer writer_;
  // One for each tag that gRPC holds; two threads may get two of them at once, in any order.
  std::shared_ptr<Unary> while_accepting_;
  std::shared_ptr<Unary> while_open_;
  std::shared_ptr<Unary> while_answering_;

  std::mutex mutex_;
  bool answered_ = false;
  bool revoked_ = false;
  bool over_ = false;
  Sent sent_;
  std::function<void()> given_up_;
};

class Server::Unary::Handle final : public ServerCall {
 public:
  explicit Handle(std::shared_ptr<Unary> call) : call_(std::move(call)) {}
  ~Handle() override { call_->Fail({grpc::StatusCode::CANCELLED, "The call was dropped."}); }

  grpc::ByteBuffer* request() override { return call_->request(); }
  const PeerCertificatePtr& caller() const override { return call_->caller(); }
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
  server_->Accept(*method_);
  caller_ = server_->callers_.Of(context_);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!over_) server_->callers_.Keep(self, caller_);
  }
  if (const Status refused = server_->callers_.Admit(context_, caller_); !refused.ok()) {
    Fail(ToGrpc(refused));
    return;
  }
  method_->handle(std::make_shared<Handle>(self));
}

void Server::Accept(const ServerMethod& method) { AcceptAs<Unary>(method); }

}  // namespace efl
