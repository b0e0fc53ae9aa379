#include "grpc/client.h"

#include <chrono>
#include <utility>
#include <vector>

#include "grpc/client_pending.h"
#include "grpc/tuning.h"
#include "grpcpp/create_channel.h"

namespace efl {
namespace {

std::shared_ptr<grpc::Channel> MakeChannel(const ClientOptions& options, const TlsIdentity& tls,
                                           const CheckServer& check) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(static_cast<int>(options.max_send_message_size));
  arguments.SetMaxReceiveMessageSize(static_cast<int>(options.max_receive_message_size));
  // A peer that isn't there yet is the ordinary case: dial again soon. Whoever dials has a pause of
  // its own that grows. The least pause is also what TCP, TLS and the first settings may take in
  // all.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  // Peers of one process don't share connections, nor does a peer with its closed predecessor.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Whoever calls knows whether it may call again. And an answer without a status, be it damaged or
  // from somebody hostile, takes the process down there.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // A proxy would see, and could change, what the parties send.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  TuneConnection([&](const char* name, int value) { arguments.SetInt(name, value); });
  if (!tls.target_name_override.empty()) {
    arguments.SetSslTargetNameOverride(tls.target_name_override);
  }
  return grpc::CreateCustomChannel(options.address, ChannelCredentialsOf(tls, check), arguments);
}

}  // namespace

Client::Client(const ClientOptions& options, TlsFilesPtr tls, CheckServer check,
               grpc::CompletionQueue* stream_queue)
    : options_(options),
      tls_(std::move(tls)),
      check_(std::move(check)),
      stream_queue_(stream_queue) {
  for (int i = 0; i < options.connections && !options.address.empty(); ++i) {
    lines_.push_back(MakeLine());
  }
  threads_.Start(&queue_, options.thread_num, &gate_);
}

Client::~Client() { Close(); }

std::shared_ptr<Client::Line> Client::MakeLine() const {
  auto line = std::make_shared<Line>();
  line->refusal = std::make_shared<Refusal>();
  const CheckServer check = [refusal = line->refusal,
                             check = check_](const PeerCertificatePtr& certificate) {
    return refusal->Note(certificate, check != nullptr ? check(certificate) : Status());
  };
  line->channel = MakeChannel(options_, *tls_->now(), check);
  line->stub = std::make_unique<grpc::GenericStub>(line->channel);
  return line;
}

std::shared_ptr<Client::Line> Client::LineOf(int connection) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return lines_[static_cast<size_t>(connection)];
}

void Client::Replace(int connection, bool coming) {
  if (options_.address.empty()) return;
  const auto index = static_cast<size_t>(connection);
  std::shared_ptr<Line> line;
  std::lock_guard<std::mutex> renewing(renewing_);
  line = MakeLine();
  line->coming = coming;
  std::lock_guard<std::mutex> lock(mutex_);
  if (!closing_ && index < lines_.size()) lines_[index].swap(line);
}

void Client::Renew(int connection) { Replace(connection, /*coming=*/false); }

void Client::RenewAll() {
  for (int i = 0; i < options_.connections; ++i) Replace(i, /*coming=*/true);
}

std::vector<std::shared_ptr<Client::Pending>> Client::UnderWay() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return {pending_.begin(), pending_.end()};
}

void Client::Break(const Status& why) {
  Renew(0);
  for (const auto& pending : UnderWay()) {
    if (pending->unary()) pending->Cut(why);
  }
}

void Client::Cut(const Status& why) {
  for (int i = 0; i < options_.connections; ++i) Renew(i);
  for (const auto& pending : UnderWay()) pending->Cut(why);
}

void Client::CutRefused(const CheckServer& check) {
  for (const auto& pending : UnderWay()) {
    const auto line = pending->line();
    const PeerCertificatePtr server = line != nullptr ? line->refusal->server() : nullptr;
    if (server == nullptr) continue;
    if (const Status refused = check(server); !refused.ok()) pending->Cut(refused);
  }
}

bool Client::Add(const std::shared_ptr<Pending>& pending) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closing_) return false;
  pending_.insert(pending);
  return true;
}

void Client::Remove(const std::shared_ptr<Pending>& pending) {
  std::lock_guard<std::mutex> lock(mutex_);
  pending_.erase(pending);
  if (pending_.empty()) none_pending_.notify_all();
}

bool Client::ready() const {
  if (options_.address.empty()) return false;
  const auto line = LineOf(0);
  switch (line->channel->GetState(/*try_to_connect=*/line->coming)) {
    case GRPC_CHANNEL_READY:
      line->coming = false;
      return true;
    case GRPC_CHANNEL_IDLE:
    case GRPC_CHANNEL_CONNECTING:
      return line->coming;
    default:
      return false;
  }
}

void Client::Close() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (closed_) return;
  closing_ = true;
  // Cancelled outside the lock, and again until all are gone: one may have been added but not yet
  // started when it was cancelled.
  while (!pending_.empty()) {
    std::vector<std::shared_ptr<Pending>> open(pending_.begin(), pending_.end());
    lock.unlock();
    for (const auto& pending : open) pending->Cancel({Code::kCancelled, "Already Closed."});
    open.clear();  // may be the last to know them, and what they hold goes without the lock
    lock.lock();
    none_pending_.wait_for(lock, std::chrono::milliseconds(20),
                           [this] { return pending_.empty(); });
  }
  closed_ = true;
  lock.unlock();
  queue_.Shutdown();
  gate_.Remove();
  threads_.Join();
}

}  // namespace efl
