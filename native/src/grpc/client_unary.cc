#include <memory>
#include <mutex>
#include <utility>

#include "grpc/client_pending.h"
#include "grpc/steady_time.h"
#include "grpcpp/client_context.h"

namespace efl {

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

}  // namespace efl
