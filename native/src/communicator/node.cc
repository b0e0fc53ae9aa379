#include "communicator/node.h"

#include <random>
#include <thread>
#include <utility>

#include "base/kernel_thread.h"
#include "grpc/grpc_log.h"
#include "wire/link/link_service.h"
#include "wire/pair/pair.h"
#include "wire/trainer/trainer_server.h"

namespace efl {
namespace {

ServerOptions ServerOptionsOf(const Options& options) {
  ServerOptions server;
  server.address = options.listen_address;
  server.thread_num = static_cast<int>(options.server_thread_num);
  server.max_send_message_size = options.server_max_send_message_size;
  server.max_receive_message_size = options.server_max_receive_message_size;
  return server;
}

// Never 0, which stands for "not known".
uint64_t RandomIncarnation() {
  std::random_device device;
  const uint64_t high = device();
  return (high << 32 | device()) | 1;
}

}  // namespace

Node::Node(const Options& options, const TlsIdentity& tls)
    : options_(options),
      incarnation_(RandomIncarnation()),
      monitor_(std::make_shared<Monitor>(std::chrono::milliseconds(options.scanning_interval_ms))),
      server_(ServerOptionsOf(options), tls) {
  // The server is shut down before this goes away.
  trainer_service_ = AddTrainerService(&server_, [this] { return ThePeer(); });
  pair_service_ = AddPairService(&server_, [this] { return ThePeer(); });
  link_service_ = AddLinkService(&server_, [this]() -> StreamEventsPtr {
    const std::shared_ptr<Peer> peer = ThePeer();
    return peer != nullptr ? peer->AcceptStream() : nullptr;
  });
}

std::shared_ptr<Node> Node::Open(const Options& options, Status* status) {
  RouteGrpcLog();
  TlsIdentity tls;
  *status = options.CheckNode();
  if (status->ok()) *status = LoadTls(options.tls, &tls);
  if (!status->ok()) return nullptr;
  std::shared_ptr<Node> node(new Node(options, tls));
  *status = node->server_.Start();
  return status->ok() ? node : nullptr;
}

Node::~Node() {
  server_.Shutdown();
  monitor_->Stop();
}

std::shared_ptr<Peer> Node::AddPeer(const Options& given, Status* status, const Admit& admit) {
  Options options = given;
  // A stream goes through the node's server too, whatever these options say of one.
  options.server_max_send_message_size = options_.server_max_send_message_size;
  options.server_max_receive_message_size = options_.server_max_receive_message_size;
  TlsIdentity tls;
  *status = options.CheckPeer(!options_.listen_address.empty());
  if (status->ok()) *status = LoadTls(options.tls, &tls);
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
  std::shared_ptr<Peer> peer(new Peer(options, tls, monitor_, incarnation_, &server_, close_node));
  std::lock_guard<std::mutex> lock(mutex_);
  *status = CheckRoom();
  if (status->ok() && admit) *status = admit(peer);
  if (!status->ok()) return nullptr;
  peers_.push_back(peer);
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
  for (const auto& peer : peers_) peer->SayGoodbye();
  server_.Stop();
  for (const auto& peer : peers_) peer->FinishClose();
  server_.Shutdown();
  monitor_->Stop();
  std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  closed_changed_.notify_all();
}

}  // namespace efl
