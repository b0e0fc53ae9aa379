// The outgoing half of the `trainer` wire.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include "wire/outbound.h"

namespace efl {

class TrainerClient final : public Outbound {
 public:
  // What the peer ought to learn of a send that failed here.
  using OnSendFailed =
      std::function<void(const std::string& name, int64_t step, const Status& status)>;

  // `client` has to be closed before this is destroyed.
  TrainerClient(Client* client, int64_t max_send_message_size, OnSendFailed on_send_failed);

  // Until the leader answers; again and again while it can't be reached.
  void Connect(const Errand& errand) override;
  // A name has one tensor in flight, as existing parties keep no more; the others wait for it.
  void SendTensor(const Errand& errand, OutgoingTensor tensor) override;
  void AskReaderState(const Errand& errand, const std::string& dataset) override;
  void AskCheckpointVersion(const Errand& errand) override;

 private:
  struct Send {
    Errand errand;
    std::string name;
    int64_t step = 0;
    grpc::ByteBuffer message;
  };

  void TransmitNow(Send send);
  void TransmitNext(const std::string& name);

  Client* const client_;
  const int64_t max_send_message_size_;
  const OnSendFailed on_send_failed_;

  std::mutex mutex_;
  // Names that have a tensor in flight, and what waits behind it.
  std::unordered_map<std::string, std::deque<Send>> in_flight_;
};

}  // namespace efl
