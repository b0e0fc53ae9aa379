// The PairService: who the parties are, what failed, that they leave. Beside the wire that carries
// the tensors; an EFLS party doesn't know it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "base/status.h"
#include "grpc/probe.h"
#include "grpc/server.h"
#include "wire/outbound.h"

namespace efl {

constexpr uint32_t kPairProtocolVersion = 1;

struct Introduction {
  bool leader = false;
  std::string party_id;
  uint64_t incarnation = 0;
  std::string job_id;
  uint32_t worker_index = 0;
  uint32_t worker_count = 0;
  uint32_t link_version = 0;  // 0: it doesn't speak the streaming wire
  bool dials = false;
  uint32_t protocol_version = kPairProtocolVersion;
};

// What the other party says. Called on server threads.
class PairEvents {
 public:
  virtual ~PairEvents() = default;
  // Whether it may speak for the peer, by its certificate.
  virtual Status CheckCaller(const PeerCertificatePtr& caller) const = 0;
  // Not OK: the two don't belong together.
  virtual Status OnHello(const Introduction& theirs, const PeerCertificatePtr& caller) = 0;
  virtual Introduction introduction() const = 0;
  virtual void OnReset(uint64_t incarnation, const std::string& name, int64_t step,
                       const Status& status) = 0;
  virtual void OnGoodbye(uint64_t incarnation, const std::string& reason) = 0;
};

std::unique_ptr<grpc::Service> AddPairService(
    Server* server, const std::function<std::shared_ptr<PairEvents>()>& route);

class PairClient {
 public:
  // `client` has to be closed before this is destroyed. `prober`: why the peer can't be reached,
  // beyond gRPC's words.
  PairClient(Client* client, Introduction mine, Prober* prober);

  // Says Hello until the peer answers, and ends the operation when it refuses, or when the
  // diagnosis says that trying again won't help. `met`: null when the peer is an EFLS party.
  using Met = std::function<void(const Introduction* theirs)>;
  void Meet(const Errand& errand, const Met& met);

  // Says Hello once. OK: the peer is there; `theirs` as above.
  std::shared_ptr<ClientCall> Ask(
      int64_t timeout_ms, std::function<void(const Status&, const Introduction* theirs)> answered,
      Client::WhenCut when_cut = Client::WhenCut::kEnds);

  // Tried for some seconds, until Forget; nothing when the peer is an EFLS party.
  void Reset(const std::string& name, int64_t step, const Status& status);
  // The peer is lost: what it wasn't told yet isn't for its next incarnation.
  std::function<void()> Forget();
  // Returns when the peer has taken note, or after a short while. Not on a thread of the client.
  void Goodbye(const std::string& reason);

 private:
  void SendReset(const std::shared_ptr<CallSlot>& slot, const grpc::ByteBuffer& request,
                 int attempts);
  void OnUnreachable(const Errand& errand, int attempts, const Status& last_diagnosis,
                     const Met& met);
  void Attempt(const Errand& errand, int attempts, const Status& last_diagnosis, const Met& met);

  Client* const client_;
  const Introduction mine_;
  Prober* const prober_;
  std::atomic<bool> spoken_{false};  // the peer knows the service
  std::mutex mutex_;
  std::unordered_set<std::shared_ptr<CallSlot>> resets_;  // under way, or to be tried again
};

}  // namespace efl
