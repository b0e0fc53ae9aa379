// The outgoing half of the `trainer` wire.
#pragma once

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
  void SayGoodbye(const std::string& reason) override { pair_->Goodbye(reason); }

 private:
  class Handle;
  struct Send {
    OperationPtr operation;
    std::shared_ptr<CallSlot> rpc;
    std::string name;
    int64_t step = 0;
    grpc::ByteBuffer message;
  };

  void TransmitNow(Send send);
  void TransmitNext(const std::string& name);

  Client* const client_;
  PairClient* const pair_;
  const int64_t max_send_message_size_;

  std::mutex mutex_;
  // Names that have a tensor in flight, and what waits behind it.
  std::unordered_map<std::string, std::deque<Send>> in_flight_;
};

}  // namespace efl
