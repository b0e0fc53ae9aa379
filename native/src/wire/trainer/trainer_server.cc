#include "wire/trainer/trainer_server.h"

#include <mutex>
#include <utility>

#include "efl/trainer_service.grpc.pb.h"
#include "grpc/grpc_status.h"
#include "wire/messages.h"
#include "wire/trainer/tensor_codec.h"

namespace efl {
namespace {

using Trainer = TrainerService;
using Raw = Trainer::WithRawMethod_Connect<
    Trainer::WithRawMethod_SendMessage<Trainer::WithRawMethod_GetReaderState<
        Trainer::WithRawMethod_GetCheckpointVersion<Trainer::Service>>>>;

// Existing parties call again when they hear this.
const grpc::Status& NobodyYet() {
  static const grpc::Status& status =
      *new grpc::Status(grpc::StatusCode::UNAVAILABLE, "This party is not ready yet.");
  return status;
}

class TrainerDelivery final : public Delivery {
 public:
  explicit TrainerDelivery(ServerCallPtr call)
      : call_(std::move(call)), defect_(DecodeMessageRequest(call_->request(), &tensor_)) {}

  const TensorInfo& info() const override { return tensor_.info; }
  size_t cost() const override {
    constexpr size_t kOfTheCall = 16 << 10;
    return call_->request()->Length() + tensor_.typed_content.capacity() + kOfTheCall;
  }
  const Status& defect() const override { return defect_; }

  void Land(void* to, std::function<void(const Status&)> landed) override {
    Status status;
    {
      std::lock_guard<std::mutex> lock(writing_);
      if (stopped_) return;
      status = CopyContent(call_->request(), tensor_, to);
    }
    landed(status);
  }

  void Stop(const Status& why) override {
    {
      std::lock_guard<std::mutex> lock(writing_);
      stopped_ = true;
    }
    Answer(why);
  }

  void Answer(const Status& status) override {
    MessageResponse response;
    SetOutcome(status, &response);
    call_->Answer(Encode(response), nullptr);
  }

  void OnGivenUp(std::function<bool()> given_up) override { call_->OnGivenUp(std::move(given_up)); }

 private:
  const ServerCallPtr call_;
  DecodedTensor tensor_;
  const Status defect_;
  std::mutex writing_;
  bool stopped_ = false;
};

// A question of which an answer is a Response, filled from status and outcome.
template <typename Response>
class TrainerQuestion final : public Question {
 public:
  using Fill = void (*)(const Outcome&, Response*);

  TrainerQuestion(ServerCallPtr call, Fill fill) : call_(std::move(call)), fill_(fill) {}

  void Answer(const Status& status, const Outcome& outcome,
              std::function<void(bool)> sent) override {
    Response response;
    SetOutcome(status, &response);
    fill_(outcome, &response);
    call_->Answer(Encode(response), std::move(sent));
  }

  void OnGivenUp(std::function<void()> given_up) override { call_->OnGivenUp(std::move(given_up)); }

 private:
  const ServerCallPtr call_;
  const Fill fill_;
};

// ConnectionResponse has no room for a status: a refusal is gRPC's.
class ConnectQuestion final : public Question {
 public:
  explicit ConnectQuestion(ServerCallPtr call) : call_(std::move(call)) {}

  void Answer(const Status& status, const Outcome&, std::function<void(bool)> sent) override {
    if (status.ok()) {
      call_->Answer(Encode(ConnectionResponse()), std::move(sent));
    } else {
      call_->Fail(ToGrpc(status));
    }
  }

  void OnGivenUp(std::function<void()> given_up) override { call_->OnGivenUp(std::move(given_up)); }

 private:
  const ServerCallPtr call_;
};

// Hands a call to the peer, or sends the caller away while there is none.
std::function<void(const ServerCallPtr&)> To(
    const Route& route, std::function<void(Inbound*, const ServerCallPtr&, uint64_t)> handle) {
  return [route, handle = std::move(handle)](const ServerCallPtr& call) {
    const auto peer = route();
    const uint64_t admitted = peer == nullptr ? 0 : peer->admission();
    if (peer == nullptr) {
      call->Fail(NobodyYet());
    } else if (const Status stranger = peer->CheckCaller(call->caller()); !stranger.ok()) {
      call->Fail(ToGrpc(stranger));
    } else {
      handle(peer.get(), call, admitted);
    }
  };
}

void OnConnect(Inbound* peer, const ServerCallPtr& call, uint64_t) {
  peer->OnConnect(std::make_shared<ConnectQuestion>(call));
}

void OnSendMessage(Inbound* peer, const ServerCallPtr& call, uint64_t admitted) {
  peer->OnTensor(std::make_shared<TrainerDelivery>(call), admitted);
}

void OnGetReaderState(Inbound* peer, const ServerCallPtr& call, uint64_t admitted) {
  GetReaderStateRequest request;
  if (!Decode(call->request(), &request)) {
    call->Fail({grpc::StatusCode::INVALID_ARGUMENT, "The request cannot be decoded."});
    return;
  }
  peer->OnReaderStateQuestion(request.name(),
                              std::make_shared<TrainerQuestion<GetReaderStateResponse>>(
                                  call,
                                  [](const Outcome& outcome, GetReaderStateResponse* response) {
                                    response->set_block_id(outcome.text);
                                    response->set_offset(outcome.index);
                                  }),
                              admitted);
}

void OnGetCheckpointVersion(Inbound* peer, const ServerCallPtr& call, uint64_t admitted) {
  peer->OnCheckpointQuestion(
      std::make_shared<TrainerQuestion<GetCheckpointVersionResponse>>(
          call,
          [](const Outcome& outcome, GetCheckpointVersionResponse* response) {
            response->set_version(outcome.text);
          }),
      admitted);
}

}  // namespace

std::unique_ptr<grpc::Service> AddTrainerService(Server* server, const Route& route) {
  auto service = std::make_unique<Raw>();
  Raw* raw = service.get();
  // The generated functions have one name per method, and no other way to choose among them.
  server->Add(
      raw,
      {{[raw](auto... call) { raw->RequestConnect(call...); }, To(route, OnConnect)},
       {[raw](auto... call) { raw->RequestSendMessage(call...); }, To(route, OnSendMessage)},
       {[raw](auto... call) { raw->RequestGetReaderState(call...); }, To(route, OnGetReaderState)},
       {[raw](auto... call) { raw->RequestGetCheckpointVersion(call...); },
        To(route, OnGetCheckpointVersion)}});
  return service;
}

}  // namespace efl
