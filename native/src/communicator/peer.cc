#include "communicator/peer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "wire/link/link_service.h"

namespace efl {
namespace {

// Topics of the CallBoard.
constexpr const char* kCheckpointTopic = "checkpoint";
std::string ReaderTopic(const std::string& dataset) { return absl::StrCat("reader/", dataset); }

// On a long line gRPC lets no more than 16 to 32 MiB be on the way on a connection
// (docs/benchmarks): where the user hasn't said how many there are to be, this many share the load
// there.
constexpr int64_t kConnectionsOfALongLine = 4;

int64_t ConnectionsOf(const Options& options) {
  return options.connections > 0 ? options.connections : kConnectionsOfALongLine;
}

ClientOptions ClientOptionsOf(const Options& options) {
  ClientOptions client;
  client.address = options.peer_address;
  client.thread_num = static_cast<int>(options.client_thread_num);
  client.connections = static_cast<int>(ConnectionsOf(options));
  client.max_send_message_size = options.client_max_send_message_size;
  client.max_receive_message_size = options.client_max_receive_message_size;
  return client;
}

// Of what is said to the peer, as text, of which a message has to have room for one: the refusal,
// or what it was already.
Status CheckText(Status status, const char* what, const std::string& text) {
  constexpr size_t kLongest = 64 << 10;
  if (!status.ok()) return status;
  if (text.size() > kLongest) {
    return {Code::kInvalidArgument,
            absl::StrCat(what, " has at most ", kLongest, " bytes, not ", text.size())};
  }
  if (!IsUtf8(text)) return {Code::kInvalidArgument, absl::StrCat(what, " has to be UTF-8 text")};
  return {};
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

Introduction IntroductionOf(const Options& options, uint64_t incarnation) {
  Introduction mine;
  mine.leader = options.role == Role::kLeader;
  mine.party_id = options.party_id;
  mine.incarnation = incarnation;
  mine.job_id = options.job_id;
  mine.worker_index = static_cast<uint32_t>(options.worker_index);
  mine.worker_count = static_cast<uint32_t>(options.worker_count);
  mine.link_version = options.wire == WireChoice::kTrainer ? 0 : kLinkVersion;
  mine.dials = !options.peer_address.empty();
  return mine;
}

LinkOptions LinkOptionsOf(const Options& options) {
  LinkOptions link;
  link.window_bytes = static_cast<uint64_t>(options.window_bytes);
  // With its frames it has to fit what both ends of a stream take.
  const int64_t smallest =
      std::min({options.client_max_send_message_size, options.client_max_receive_message_size,
                options.server_max_send_message_size, options.server_max_receive_message_size});
  link.chunk_bytes =
      static_cast<uint32_t>(std::clamp<int64_t>(smallest / 2, kShortestChunk, options.chunk_bytes));
  link.connections = static_cast<uint32_t>(ConnectionsOf(options));
  link.spread_at_once = options.connections > 0;
  link.reconnect_timeout_ms = options.reconnect_timeout_ms;
  link.keepalive_interval_ms = options.keepalive_interval_ms;
  link.keepalive_timeout_ms = options.keepalive_timeout_ms;
  link.await_consumption = options.send_completion == SendCompletion::kConsumed;
  link.encodings = options.encodings;
  return link;
}

}  // namespace

Peer::Peer(const Options& options, TlsFilesPtr tls, std::shared_ptr<Monitor> monitor,
           std::shared_ptr<Governance> governance, uint64_t incarnation, Server* server,
           std::function<void()> close_node)
    : options_(options),
      listens_(server->port() > 0),
      mine_(IntroductionOf(options, incarnation)),
      tls_(std::move(tls)),
      identity_(std::make_shared<PeerIdentity>(tls_, server->callers()->asks())),
      monitor_(std::move(monitor)),
      governance_(std::move(governance)),
      refusals_(server->callers()->refusals()),
      close_node_(std::move(close_node)),
      mailbox_(options.mailbox_bytes, options.max_tensor_bytes),
      client_(
          ClientOptionsOf(options), tls_,
          [who = identity_](const PeerCertificatePtr& cert) { return who->CheckServer(cert); },
          server->queue()),
      prober_(options.peer_address, tls_),
      pair_(&client_, mine_, &prober_),
      trainer_(&client_, &pair_, options.client_max_send_message_size),
      link_(std::make_shared<Link>(&client_, LinkOptionsOf(options), mine_, this, this)),
      wire_(options.wire == WireChoice::kTrainer ? static_cast<Outbound*>(&trainer_)
                                                 : link_.get()) {
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
  return {operation, name, step, PeerName()};
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
  if (Status status = monitor_->Watch(operation, this, options_.max_pending); !status.ok()) {
    operation->Abandon(status);
    return false;
  }
  // Closed between the check of the caller and the Watch: nobody else would end it.
  if (closed()) operation->Abandon(AlreadyClosed());
  return !operation->claimed();
}

Errand Peer::StartErrand(Subject subject, Call call, const Status& refused) {
  Errand errand{Make(std::move(subject), std::move(call)), std::make_shared<CallSlot>()};
  if (!refused.ok()) {
    errand.operation->TryEnd(refused);
    return {};
  }
  errand.operation->set_abandon([slot = errand.slot](const Status& why) { slot->Cancel(why); });
  Watch(errand.operation);
  return errand;
}

void Peer::PostAnswer(const std::string& topic, Subject subject, Answer given, Call call,
                      const Status& refused) {
  const OperationPtr operation = Make(std::move(subject), std::move(call));
  if (!refused.ok()) {
    operation->TryEnd(refused);
    return;
  }
  given.operation = operation;
  const auto answer = std::make_shared<Answer>(std::move(given));
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
  call.done = CountSent(info.size, std::move(call.done));
  const Errand errand = StartErrand(About("send tensor", info.name, info.step), std::move(call),
                                    CheckText(CheckConnected(), "the name of a tensor", info.name));
  if (errand.operation == nullptr) return;
  Status told = CheckOutgoing(tensor);
  if (!told.ok()) errand.operation->Abandon(told);
  if (errand.slot->cancelled().ok()) {
    if (Status kept = LetOut(info); !kept.ok()) {
      told = kept;
      errand.operation->Abandon(kept);
    }
  }
  Outbound* const wire = wire_;
  if (const Status why = errand.slot->cancelled(); !why.ok()) {
    // The peer may be waiting for it; a close it learns of by the Goodbye.
    if (why.code() != Code::kCancelled) {
      wire->TellFailed(info.name, info.step, told.ok() ? why : told);
    }
    return;
  }
  wire->SendTensor(errand, std::move(tensor));
  // Lost meanwhile, it isn't for whoever is there next; nor is the news of it.
  const Status lost = CheckConnected();
  if (!lost.ok() && errand.operation->TryEnd(lost)) {
    errand.slot->Cancel({Code::kCancelled, lost.message()});
  }
}

void Peer::ReceiveTensor(const std::string& name, int64_t step,
                         std::function<void*(const TensorInfo&)> allocate, Call call) {
  // How much it was is known when its place is asked for, before it ends.
  const auto bytes = std::make_shared<int64_t>(0);
  call.done = [counters = counters_, bytes, done = std::move(call.done)](const Status& status,
                                                                         const Outcome& outcome) {
    if (status.ok()) {
      ++counters->tensors_received;
      counters->bytes_received += *bytes;
    }
    done(status, outcome);
  };
  const auto place = [allocate = std::move(allocate), bytes](const TensorInfo& info) {
    *bytes = static_cast<int64_t>(info.size);
    return allocate(info);
  };
  const OperationPtr operation = Make(About("receive tensor", name, step), std::move(call));
  if (const Status refused = CheckConnected(); !refused.ok()) {
    // What the peer has sent before it left is still here.
    if (closed() || !mailbox_.Holds(name, step)) {
      operation->TryEnd(refused);
      return;
    }
  }
  const auto receive = std::make_shared<Receive>(Receive{operation, name, step, place, {}});
  if (governance_->on()) {
    receive->record = [this](const TensorInfo& info) {
      return governance_->RecordReceived(info, PeerForLedger());
    };
  }
  operation->set_note("the peer has not sent it");
  mailbox_.Bind(receive);
  if (!Watch(operation)) return;
  if (mailbox_.Post(receive)) EndIfLost(operation);
}

void Peer::SendReaderState(const std::string& dataset, const std::string& block_id,
                           int64_t sample_index, Call call) {
  PostText(EgressText::kReaderState, dataset, ReaderTopic(dataset),
           About("send reader state", dataset), {block_id, sample_index}, std::move(call),
           CheckText(CheckDataset(dataset), "a block id", block_id));
}

void Peer::TerminateReader(const std::string& dataset, Call call) {
  Answer answer;
  answer.status = {Code::kOutOfRange, absl::StrCat("Reader ", dataset, " has terminated.")};
  PostAnswer(ReaderTopic(dataset), About("terminate reader", dataset), std::move(answer),
             std::move(call), CheckDataset(dataset));
}

void Peer::SendCheckpointVersion(const std::string& version, Call call) {
  PostText(EgressText::kCheckpointVersion, {}, kCheckpointTopic, About("send checkpoint version"),
           {version, 0}, std::move(call),
           CheckText(CheckConnected(), "a checkpoint version", version));
}

void Peer::ReceiveReaderState(const std::string& dataset, Call call) {
  const Subject subject = About("receive reader state", dataset);
  Record(EgressText::kReaderState, dataset, subject, &call);
  const Errand errand = StartErrand(subject, std::move(call),
                                    CheckText(CheckConnected(), "the name of a dataset", dataset));
  if (errand.operation != nullptr) wire_.load()->AskReaderState(errand, dataset);
}

void Peer::ReceiveCheckpointVersion(Call call) {
  const Subject subject = About("receive checkpoint version");
  Record(EgressText::kCheckpointVersion, {}, subject, &call);
  const Errand errand = StartErrand(subject, std::move(call), CheckConnected());
  if (errand.operation != nullptr) wire_.load()->AskCheckpointVersion(errand);
}

void Peer::FailGroup(uint64_t group, const std::string& reason) {
  monitor_->FailGroup(this, group, Status(Code::kAborted, reason));
}

void Peer::OnReaderStateQuestion(const std::string& dataset, const QuestionPtr& question,
                                 uint64_t admitted) {
  const std::string topic = ReaderTopic(dataset);
  if (board_.IsOpen(topic)) {
    board_.Ask(topic, question, admitted);
  } else {
    question->Answer({Code::kNotFound, absl::StrCat("Dataset named ", dataset, " not registered.")},
                     {}, nullptr);
  }
}

void Peer::OnCheckpointQuestion(const QuestionPtr& question, uint64_t admitted) {
  board_.Ask(kCheckpointTopic, question, admitted);
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
  Refresh();
  monitor_->AbandonAll(this, {Code::kCancelled, "closed while it was pending"});
  // As the peer will read it.
  const Status closed(Code::kUnavailable, "the peer has left: closed");
  mailbox_.Close(closed);
  board_.Close(closed);
}

void Peer::SayGoodbye() { wire_.load()->SayGoodbye("closed"); }

void Peer::FinishClose() {
  prober_.Stop();
  client_.Close();
  states_.Stop();
}

}  // namespace efl
