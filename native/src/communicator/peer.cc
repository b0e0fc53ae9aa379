#include "communicator/peer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "wire/trainer/trainer_client.h"

namespace efl {
namespace {

// Topics of the CallBoard.
constexpr const char* kCheckpointTopic = "checkpoint";
std::string ReaderTopic(const std::string& dataset) { return absl::StrCat("reader/", dataset); }

ClientOptions ClientOptionsOf(const Options& options) {
  ClientOptions client;
  client.address = options.peer_address;
  client.thread_num = static_cast<int>(options.client_thread_num);
  client.max_send_message_size = options.client_max_send_message_size;
  client.max_receive_message_size = options.client_max_receive_message_size;
  return client;
}

Status CheckOutgoing(const OutgoingTensor& tensor) {
  const TensorInfo& info = tensor.info;
  if (info.name.empty()) return {Code::kInvalidArgument, "a tensor needs a name"};
  if (info.step < 0) return {Code::kInvalidArgument, "a step is 0 or more"};
  Status status = CheckTensor(info);
  if (status.ok() && info.dtype == kString &&
      !StringLengthsFit(tensor.payload.data(), info.size, ElementCount(info.dims))) {
    status = {Code::kInvalidArgument, "the lengths of its strings don't fit its content"};
  }
  return status;
}

}  // namespace

Peer::Peer(const Options& options, const TlsIdentity& tls, std::shared_ptr<Monitor> monitor,
           uint64_t incarnation, std::function<void()> close_node)
    : options_(options),
      mine_{options.role == Role::kLeader, options.party_id, incarnation},
      monitor_(std::move(monitor)),
      close_node_(std::move(close_node)),
      mailbox_(options.mailbox_bytes),
      client_(ClientOptionsOf(options), tls),
      prober_(options.peer_address, tls),
      pair_(&client_, mine_, &prober_),
      wire_(std::make_unique<TrainerClient>(
          &client_, options.client_max_send_message_size,
          [this](const std::string& name, int64_t step, const Status& status) {
            pair_.Reset(name, step, status);
          })) {
  board_.Open(kConnectTopic);
  board_.Open(kCheckpointTopic);
}

Peer::~Peer() { FinishClose(); }

Status Peer::RegisterTensor(const std::string& name, int32_t dtype,
                            const std::optional<std::vector<int64_t>>& dims) {
  return mailbox_.Register(name, dtype, dims);
}

Status Peer::RegisterDataset(const std::string& name) {
  if (name.empty()) return {Code::kInvalidArgument, "a dataset needs a name"};
  board_.Open(ReaderTopic(name));
  return {};
}

Subject Peer::About(const char* operation, const std::string& name, int64_t step) const {
  return {operation, name, step, options_.peer_address};
}

OperationPtr Peer::Make(Subject subject, Call call) const {
  Operation::Spec spec;
  spec.subject = std::move(subject);
  spec.group = call.group;
  constexpr int64_t kLongest = std::numeric_limits<int32_t>::max();
  spec.timeout_ms =
      call.timeout_ms < 0 ? options_.default_timeout_ms : std::min(call.timeout_ms, kLongest);
  spec.done = std::move(call.done);
  return std::make_shared<Operation>(std::move(spec));
}

bool Peer::Watch(const OperationPtr& operation) {
  if (Status status = monitor_->Watch(operation, this); !status.ok()) {
    operation->Abandon(status);
    return false;
  }
  // Closed between the check of the caller and the Watch: nobody else would end it.
  if (closed()) operation->Abandon(AlreadyClosed());
  return !operation->claimed();
}

Errand Peer::StartErrand(Subject subject, Call call, const Status& refused,
                         std::function<void(const Status&)> on_abandon) {
  Errand errand{Make(std::move(subject), std::move(call)), std::make_shared<CallSlot>()};
  if (!refused.ok()) {
    errand.operation->TryEnd(refused);
    return {};
  }
  errand.operation->set_abandon(
      [slot = errand.slot, on_abandon = std::move(on_abandon)](const Status& status) {
        slot->Cancel();
        if (on_abandon) on_abandon(status);
      });
  if (!Watch(errand.operation)) return {};
  return errand;
}

void Peer::PostAnswer(const std::string& topic, Subject subject, Status status, Outcome outcome,
                      Call call, const Status& refused) {
  const OperationPtr operation = Make(std::move(subject), std::move(call));
  if (!refused.ok()) {
    operation->TryEnd(refused);
    return;
  }
  const auto answer =
      std::make_shared<Answer>(Answer{operation, std::move(status), std::move(outcome)});
  operation->set_note("the peer has not asked for it");
  operation->set_abandon([this, topic, weak = std::weak_ptr<Answer>(answer)](const Status&) {
    board_.Withdraw(topic, weak.lock());
  });
  if (!Watch(operation)) return;
  board_.Post(topic, answer);
  EndIfLost(operation);
}

void Peer::EndIfLost(const OperationPtr& operation) const {
  if (Status status = CheckConnected(); !status.ok()) operation->Abandon(status);
}

Status Peer::CheckConnected() const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (state_ == State::kConnected) return {};
  if (state_ == State::kClosed) return AlreadyClosed();
  if (!lost_.ok()) {
    return {lost_.code(), absl::StrCat("Not connected any more: ", lost_.message())};
  }
  return {Code::kFailedPrecondition, "Not connected."};
}

Status Peer::CheckDataset(const std::string& dataset) const {
  Status status = CheckConnected();
  if (status.ok() && !board_.IsOpen(ReaderTopic(dataset))) {
    status = {Code::kInvalidArgument, "no dataset of this name is registered"};
  }
  return status;
}

void Peer::SendTensor(OutgoingTensor tensor, Call call) {
  const TensorInfo& info = tensor.info;
  Status refused = CheckConnected();
  // The peer may be waiting for it; a close it learns of by the Goodbye.
  const auto tell_peer = [this, name = info.name, step = info.step](const Status& status) {
    if (status.code() != Code::kCancelled) pair_.Reset(name, step, status);
  };
  const Errand errand =
      StartErrand(About("send tensor", info.name, info.step), std::move(call), refused, tell_peer);
  if (errand.operation == nullptr) return;
  if (Status wrong = CheckOutgoing(tensor); !wrong.ok()) {
    errand.operation->Abandon(wrong);
    return;
  }
  errand.operation->set_note("the peer has not consumed it");
  wire_->SendTensor(errand, std::move(tensor));
}

void Peer::ReceiveTensor(const std::string& name, int64_t step,
                         std::function<void*(const TensorInfo&)> allocate, Call call) {
  const OperationPtr operation = Make(About("receive tensor", name, step), std::move(call));
  if (Status refused = CheckConnected(); !refused.ok()) {
    operation->TryEnd(refused);
    return;
  }
  const auto receive =
      std::make_shared<Receive>(Receive{operation, name, step, std::move(allocate)});
  operation->set_note("the peer has not sent it");
  operation->set_abandon([this, weak = std::weak_ptr<Receive>(receive)](const Status&) {
    mailbox_.Withdraw(weak.lock());
  });
  if (!Watch(operation)) return;
  mailbox_.Post(receive);
  EndIfLost(operation);
}

void Peer::SendReaderState(const std::string& dataset, const std::string& block_id,
                           int64_t sample_index, Call call) {
  PostAnswer(ReaderTopic(dataset), About("send reader state", dataset), Status(),
             {block_id, sample_index}, std::move(call), CheckDataset(dataset));
}

void Peer::TerminateReader(const std::string& dataset, Call call) {
  PostAnswer(ReaderTopic(dataset), About("terminate reader", dataset),
             Status(Code::kOutOfRange, absl::StrCat("Reader ", dataset, " has terminated.")), {},
             std::move(call), CheckDataset(dataset));
}

void Peer::SendCheckpointVersion(const std::string& version, Call call) {
  PostAnswer(kCheckpointTopic, About("send checkpoint version"), Status(), {version, 0},
             std::move(call), CheckConnected());
}

void Peer::ReceiveReaderState(const std::string& dataset, Call call) {
  const Errand errand =
      StartErrand(About("receive reader state", dataset), std::move(call), CheckConnected());
  if (errand.operation != nullptr) wire_->AskReaderState(errand, dataset);
}

void Peer::ReceiveCheckpointVersion(Call call) {
  const Errand errand =
      StartErrand(About("receive checkpoint version"), std::move(call), CheckConnected());
  if (errand.operation != nullptr) wire_->AskCheckpointVersion(errand);
}

void Peer::FailGroup(uint64_t group, const std::string& reason) {
  monitor_->FailGroup(this, group, Status(Code::kAborted, reason));
}

void Peer::OnReaderStateQuestion(const std::string& dataset, const QuestionPtr& question) {
  const std::string topic = ReaderTopic(dataset);
  if (board_.IsOpen(topic)) {
    board_.Ask(topic, question);
  } else {
    question->Answer({Code::kNotFound, absl::StrCat("Dataset named ", dataset, " not registered.")},
                     {}, nullptr);
  }
}

void Peer::OnCheckpointQuestion(const QuestionPtr& question) {
  board_.Ask(kCheckpointTopic, question);
}

bool Peer::closed() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return state_ == State::kClosed;
}

void Peer::BeginClose() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    state_ = State::kClosed;
  }
  monitor_->AbandonAll(this, {Code::kCancelled, "closed while it was pending"});
  // As the peer will read it.
  const Status closed(Code::kUnavailable, "the peer has left: closed");
  mailbox_.Close(closed);
  board_.Close(closed);
}

void Peer::SayGoodbye() { pair_.Goodbye("closed"); }

void Peer::FinishClose() {
  prober_.Stop();
  client_.Close();
}

}  // namespace efl
