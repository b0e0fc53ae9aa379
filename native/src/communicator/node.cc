#include "communicator/node.h"

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

#include "base/kernel_thread.h"
#include "base/log.h"
#include "grpc/grpc_setup.h"
#include "wire/link/link_service.h"
#include "wire/pair/pair.h"
#include "wire/trainer/trainer_server.h"

namespace efl {
namespace {

// Of the options of a node, whose peer has such a mailbox.
int64_t ServerMemory(const Options& options, int64_t mailbox_bytes) {
  if (options.server_memory_bytes != Options::kByTheMailbox) return options.server_memory_bytes;
  constexpr int64_t kMost = int64_t{1} << 47;
  return std::min(mailbox_bytes, kMost) + 2 * options.server_max_receive_message_size;
}

ServerOptions ServerOptionsOf(const Options& options) {
  ServerOptions server;
  server.address = options.listen_address;
  server.thread_num = static_cast<int>(options.server_thread_num);
  server.max_send_message_size = options.server_max_send_message_size;
  server.max_receive_message_size = options.server_max_receive_message_size;
  server.memory_bytes = ServerMemory(options, options.mailbox_bytes);
  server.max_streams = options.max_streams;
  server.keepalive_interval_ms = options.keepalive_interval_ms;
  server.keepalive_timeout_ms = options.keepalive_timeout_ms;
  return server;
}

// Never 0, which stands for "not known".
uint64_t RandomIncarnation() {
  std::random_device device;
  const uint64_t high = device();
  return (high << 32 | device()) | 1;
}

// How soon a replaced certificate is noticed: a file is taken when two looks have read the same.
constexpr std::chrono::milliseconds kTlsWatchPeriod{500};

}  // namespace

Node::Node(const Options& options, TlsFilesPtr tls, std::shared_ptr<Governance> governance)
    : options_(options),
      tls_(std::move(tls)),
      incarnation_(RandomIncarnation()),
      monitor_(std::make_shared<Monitor>(std::chrono::milliseconds(options.scanning_interval_ms))),
      governance_(std::move(governance)),
      server_(ServerOptionsOf(options), tls_) {
  // The server is shut down before this goes away.
  trainer_service_ = AddTrainerService(&server_, [this] { return ThePeer(); });
  pair_service_ = AddPairService(&server_, [this] { return ThePeer(); });
  link_service_ = AddLinkService(
      &server_, [this](const PeerCertificatePtr& caller, Status* refused) -> StreamEventsPtr {
        const std::shared_ptr<Peer> peer = ThePeer();
        return peer != nullptr ? peer->AcceptStream(caller, refused) : nullptr;
      });
  server_.callers()->set_on_refused([this](const PeerCertificatePtr& caller, const Status& why) {
    if (const auto peer = ThePeer()) peer->OnCallerRefused(caller, why);
  });
}

std::shared_ptr<Node> Node::Open(const Options& options, Status* status) {
  SetUpGrpc();
  TlsFilesPtr tls;
  *status = options.CheckNode();
  if (status->ok()) tls = TlsFiles::Load(options.tls, status);
  if (status->ok() && !options.listen_address.empty() && !tls->now()->server_on()) {
    *status = CheckPlaintext(options.tls, "listen_address", options.listen_address);
  }
  if (!status->ok()) return nullptr;
  if (!options.listen_address.empty() && tls->now()->server_on()) {
    WarnOfOpenDoor(*tls->now(), options.listen_address);
  }
  auto governance =
      Governance::Open({options.egress_policy, options.audit_log, options.party_id}, status);
  if (governance == nullptr) return nullptr;
  std::shared_ptr<Node> node(new Node(options, std::move(tls), std::move(governance)));
  *status = node->server_.Start();
  if (!status->ok()) return nullptr;
  node->WatchTls(*node->tls_);
  return node;
}

TlsFilesPtr Node::FilesFor(const TlsOptions& options, Status* status) const {
  return options == options_.tls ? tls_ : TlsFiles::Load(options, status);
}

void Node::WatchTls(const TlsFiles& files) {
  const TlsFiles::Identity now = files.now();
  if (!now->server_on() && !now->client_on()) return;
  tls_watch_.Start(kTlsWatchPeriod, [this] { RefreshTls(); });
}

void Node::RefreshTls() {
  const std::shared_ptr<Peer> peer = ThePeer();
  const bool changed = tls_->Refresh();
  server_.callers()->refusals()->Tell();
  const bool shared = peer != nullptr && peer->tls() == tls_;
  if (changed) server_.callers()->Recheck();
  if (peer != nullptr && (shared ? changed : peer->tls()->Refresh())) peer->OnTlsFilesChanged();
  if (changed) Log(LogLevel::kInfo, "TLS: the files have changed; new connections take them");
}

Node::~Node() {
  tls_watch_.Stop();
  server_.Shutdown();
  monitor_->Stop();
}

std::shared_ptr<Peer> Node::AddPeer(const Options& given, Status* status, const Admit& admit) {
  Options options = given;
  // How this party calls itself is the node's to say.
  options.party_id = options_.party_id;
  // A stream goes through the node's server too, whatever these options say of one.
  options.server_max_send_message_size = options_.server_max_send_message_size;
  options.server_max_receive_message_size = options_.server_max_receive_message_size;
  TlsFilesPtr tls;
  *status = options.CheckPeer(!options_.listen_address.empty());
  if (status->ok()) tls = FilesFor(options.tls, status);
  if (status->ok() && !options.peer_address.empty() && !tls->now()->client_on()) {
    *status = CheckPlaintext(options.tls, "peer_address", options.peer_address);
  }
  if (!status->ok()) return nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    *status = CheckRoom();
  }
  if (!status->ok()) return nullptr;
  const auto close_node = [weak = weak_from_this()] {
    if (const auto node = weak.lock()) node->Close();
  };
  // Not make_shared: whoever still knows its name doesn't keep its memory.
  std::shared_ptr<Peer> peer(
      new Peer(options, tls, monitor_, governance_, incarnation_, &server_, close_node));
  std::lock_guard<std::mutex> lock(mutex_);
  *status = CheckRoom();
  if (status->ok() && admit) *status = admit(peer);
  if (!status->ok()) return nullptr;
  server_.LimitMemory(ServerMemory(options_, options.mailbox_bytes));
  peers_.push_back(peer);
  WatchTls(*peer->tls());
  return peer;
}

Status Node::CheckRoom() const {
  if (closing_) return {Code::kFailedPrecondition, "Already Closed."};
  if (peers_.empty()) return {};
  return {Code::kFailedPrecondition,
          "this node has its peer: the trainer wire does not say who calls, so it carries one"};
}

std::shared_ptr<Peer> Node::ThePeer() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return peers_.empty() ? nullptr : peers_.front();
}

void Node::Close() {
  const auto self = shared_from_this();  // a callback may drop the last other owner
  const bool inside = KernelScope::Inside();
  std::vector<std::shared_ptr<Peer>> peers;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    if (closing_) {
      if (!inside) closed_changed_.wait(lock, [this] { return closed_; });
      return;
    }
    closing_ = true;
    peers = peers_;
  }
  for (const auto& peer : peers) peer->BeginClose();
  if (inside) {
    // It would wait for itself, or for a node that waits for it.
    std::thread([self] { self->FinishClose(); }).detach();
  } else {
    FinishClose();
  }
}

void Node::FinishClose() {
  tls_watch_.Stop();
  for (const auto& peer : peers_) peer->SayGoodbye();
  server_.Stop();
  for (const auto& peer : peers_) peer->FinishClose();
  server_.Shutdown();
  monitor_->Stop();
  governance_->Close();
  std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  closed_changed_.notify_all();
}

}  // namespace efl
