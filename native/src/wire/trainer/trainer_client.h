// The outgoing half of the `trainer` wire.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

#include "wire/outbound.h"
#include "wire/pair/pair.h"

namespace efl {

class TrainerClient final : public Outbound {
 public:
  // `client` has to be closed before this is destroyed. `pair`: what this wire can't say.
  TrainerClient(Client* client, PairClient* pair, int64_t max_send_message_size);

  // Until the leader answers; again and again while it can't be reached.
  void Connect(const Errand& errand) override;
  // A name has one tensor in flight, as existing parties keep no more; the others wait for it.
  void SendTensor(const Errand& errand, OutgoingTensor tensor) override;
  void AskReaderState(const Errand& errand, const std::string& dataset) override;
  void AskCheckpointVersion(const Errand& errand) override;
  void TellFailed(const std::string& name, int64_t step, const Status& status) override;
  // A connection broke under a send. What waited behind it waits on, until GoOn or Forget: behind
  // the same address there may be another incarnation.
  bool in_doubt() const;
  // The peer is there and the one it was.
  void GoOn();
  // The peer is lost: what waits for its turn isn't for its next incarnation, and ends with this
  // status when the function returned is called.
  std::function<void()> Forget(const Status& status);
  void SayGoodbye(const std::string& reason) override { pair_->Goodbye(reason); }

 private:
  class Handle;
  struct Send {
    OperationPtr operation;
    std::shared_ptr<CallSlot> rpc;
    std::string name;
    int64_t step = 0;
    grpc::ByteBuffer message;
    uint64_t life = 0;
  };

  struct Queue {
    std::deque<Send> waiting;
    bool held = false;  // and nothing is in flight
  };

  // Unless the peer was lost since that life of it.
  void TellFailed(const std::string& name, int64_t step, const Status& status, uint64_t life);
  void TransmitNow(Send send);
  void TransmitNext(const std::string& name);
  // The same, as soon as it is known who is there.
  void Hold(const std::string& name);

  Client* const client_;
  PairClient* const pair_;
  const int64_t max_send_message_size_;

  mutable std::mutex mutex_;
  // Names that have a tensor in flight, or are held, and what waits behind it.
  std::unordered_map<std::string, Queue> in_flight_;
  bool in_doubt_ = false;
  std::atomic<uint64_t> life_{0};  // of the peer there is, and of those before
};

}  // namespace efl
