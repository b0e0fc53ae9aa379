#include "wire/trainer/trainer_client.h"

#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "efl/trainer_service.pb.h"
#include "grpc/grpc_status.h"
#include "wire/messages.h"
#include "wire/trainer/tensor_codec.h"

namespace efl {
namespace {

constexpr const char* kConnect = "/efl.TrainerService/Connect";
constexpr const char* kSendMessage = "/efl.TrainerService/SendMessage";
constexpr const char* kGetReaderState = "/efl.TrainerService/GetReaderState";
constexpr const char* kGetCheckpointVersion = "/efl.TrainerService/GetCheckpointVersion";

constexpr int64_t kConnectAgainAfterMs = 500;

// gRPC's own failures, in words that say what to do.
Status Explain(const grpc::Status& status) {
  const std::string& said = status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return {Code::kUnavailable, absl::StrCat("the peer cannot be reached: ", said)};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {Code::kUnimplemented,
              absl::StrCat("the peer does not serve efl.TrainerService: ", said)};
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return {Code::kResourceExhausted,
              absl::StrCat("a message is over a limit: of what is sent, "
                           "EFL_SERVER_MAX_RECEIVE_MESSAGE_SIZE of the peer; of its answer, "
                           "EFL_SERVER_MAX_SEND_MESSAGE_SIZE of the peer or "
                           "EFL_CLIENT_MAX_RECEIVE_MESSAGE_SIZE here: ",
                           said)};
    default:
      return FromGrpc(status);
  }
}

// It may be another party that is there next.
bool MayHaveBroken(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::UNAUTHENTICATED ||
         status.error_code() == grpc::StatusCode::INTERNAL ||
         status.error_code() == grpc::StatusCode::UNKNOWN;
}

// The application status of an answer, or why there is no answer.
template <typename Response>
Status Read(const grpc::Status& status, grpc::ByteBuffer* bytes, Response* response) {
  if (!status.ok()) return Explain(status);
  if (!Decode(bytes, response)) return {Code::kInternal, "the peer's answer cannot be decoded"};
  return OutcomeOf(*response);
}

}  // namespace

// A send that may be cancelled while it waits for its turn, or on its way.
class TrainerClient::Handle final : public ClientCall {
 public:
  Handle(TrainerClient* wire, std::string name, int64_t step)
      : wire_(wire),
        name_(std::move(name)),
        step_(step),
        life_(wire->life_),
        rpc_(std::make_shared<CallSlot>()) {}

  void Cancel(const Status& why) override {
    rpc_->Cancel(why);
    // The peer may be waiting for it; a close it learns of by the Goodbye.
    if (why.code() != Code::kCancelled) wire_->TellFailed(name_, step_, why, life_);
  }
  uint64_t life() const { return life_; }
  const std::shared_ptr<CallSlot>& rpc() const { return rpc_; }

 private:
  TrainerClient* const wire_;
  const std::string name_;
  const int64_t step_;
  const uint64_t life_;
  const std::shared_ptr<CallSlot> rpc_;
};

TrainerClient::TrainerClient(Client* client, PairClient* pair, int64_t max_send_message_size)
    : client_(client), pair_(pair), max_send_message_size_(max_send_message_size) {}

void TrainerClient::TellFailed(const std::string& name, int64_t step, const Status& status) {
  pair_->Reset(name, step, status);
}

void TrainerClient::TellFailed(const std::string& name, int64_t step, const Status& status,
                               uint64_t life) {
  if (life == life_) TellFailed(name, step, status);
}

void TrainerClient::Connect(const Errand& errand) {
  errand.operation->set_note("the leader has not accepted the connection");
  const auto answered = [this, errand](const grpc::Status& status, grpc::ByteBuffer*) {
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE) {
      errand.operation->TryEnd(status.ok() ? Status() : Explain(status));
      return;
    }
    errand.operation->set_note(Explain(status).message());
    client_->After(kConnectAgainAfterMs, [this, errand] {
      if (!errand.operation->claimed()) Connect(errand);
    });
  };
  errand.slot->Hold(client_->Call(kConnect, Encode(ConnectionRequest()), 0, answered,
                                  Client::WhenCut::kIsMadeAgain));
}

void TrainerClient::SendTensor(const Errand& errand, OutgoingTensor tensor) {
  const auto handle = std::make_shared<Handle>(this, tensor.info.name, tensor.info.step);
  errand.slot->Hold(handle);
  errand.operation->set_note("the peer has not consumed it");
  Send send{errand.operation,
            handle->rpc(),
            tensor.info.name,
            tensor.info.step,
            EncodeMessageRequest(std::move(tensor)),
            handle->life()};
  const size_t size = send.message.Length();
  if (size > static_cast<uint64_t>(max_send_message_size_)) {
    const Status status(Code::kResourceExhausted,
                        absl::StrCat("the message takes ", size,
                                     " bytes, over EFL_CLIENT_MAX_SEND_MESSAGE_SIZE "
                                     "(client_max_send_message_size) = ",
                                     max_send_message_size_));
    TellFailed(send.name, send.step, status);
    errand.operation->TryEnd(status);
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto [at, first] = in_flight_.try_emplace(send.name);
    if (!first) {
      at->second.waiting.push_back(std::move(send));
      return;
    }
  }
  TransmitNow(std::move(send));
}

void TrainerClient::TransmitNow(Send send) {
  send.rpc->Hold(
      client_->Call(kSendMessage, send.message, 0,
                    [this, operation = send.operation, name = send.name, step = send.step,
                     life = send.life](const grpc::Status& status, grpc::ByteBuffer* bytes) {
                      MessageResponse response;
                      const Status outcome = Read(status, bytes, &response);
                      // The peer's application has not answered, so it may know nothing. What is
                      // cancelled here is told by whoever cancelled it.
                      if (!status.ok() && status.error_code() != grpc::StatusCode::CANCELLED) {
                        TellFailed(name, step, outcome, life);
                      }
                      if (MayHaveBroken(status)) {
                        Hold(name);
                      } else {
                        TransmitNext(name);
                      }
                      operation->TryEnd(outcome);
                    }));
}

void TrainerClient::TransmitNext(const std::string& name) {
  std::deque<Send> dropped;  // ended meanwhile; their payloads are released outside the lock
  Send next;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto at = in_flight_.find(name);
    std::deque<Send>& waiting = at->second.waiting;
    at->second.held = false;
    while (!waiting.empty() && waiting.front().operation->claimed()) {
      dropped.push_back(std::move(waiting.front()));
      waiting.pop_front();
    }
    if (waiting.empty()) {
      in_flight_.erase(at);
      return;
    }
    next = std::move(waiting.front());
    waiting.pop_front();
  }
  TransmitNow(std::move(next));
}

void TrainerClient::Hold(const std::string& name) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto at = in_flight_.find(name);
  if (at->second.waiting.empty()) {
    in_flight_.erase(at);
    return;
  }
  at->second.held = true;
  in_doubt_ = true;
}

bool TrainerClient::in_doubt() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return in_doubt_;
}

void TrainerClient::GoOn() {
  std::vector<std::string> held;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!std::exchange(in_doubt_, false)) return;
    for (auto& [name, queue] : in_flight_) {
      if (std::exchange(queue.held, false)) held.push_back(name);
    }
  }
  for (const std::string& name : held) TransmitNext(name);
}

std::function<void()> TrainerClient::Forget(const Status& status) {
  std::vector<OperationPtr> forgotten;
  ++life_;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    in_doubt_ = false;
    for (auto at = in_flight_.begin(); at != in_flight_.end();) {
      std::deque<Send>& waiting = at->second.waiting;
      for (const Send& send : waiting) forgotten.push_back(send.operation);
      waiting.clear();
      at = at->second.held ? in_flight_.erase(at) : std::next(at);
    }
  }
  return [forgotten = std::move(forgotten), end_news = pair_->Forget(), status] {
    end_news();
    // Not abandoned: that would tell whoever is there next.
    for (const OperationPtr& operation : forgotten) operation->TryEnd(status);
  };
}

void TrainerClient::AskReaderState(const Errand& errand, const std::string& dataset) {
  GetReaderStateRequest request;
  request.set_name(dataset);
  errand.slot->Hold(
      client_->Call(kGetReaderState, Encode(request), 0,
                    [errand](const grpc::Status& status, grpc::ByteBuffer* bytes) {
                      GetReaderStateResponse response;
                      const Status outcome = Read(status, bytes, &response);
                      errand.operation->TryEnd(outcome, {response.block_id(), response.offset()});
                    }));
}

void TrainerClient::AskCheckpointVersion(const Errand& errand) {
  errand.slot->Hold(client_->Call(kGetCheckpointVersion, Encode(GetCheckpointVersionRequest()), 0,
                                  [errand](const grpc::Status& status, grpc::ByteBuffer* bytes) {
                                    GetCheckpointVersionResponse response;
                                    const Status outcome = Read(status, bytes, &response);
                                    errand.operation->TryEnd(outcome, {response.version(), 0});
                                  }));
}

}  // namespace efl
