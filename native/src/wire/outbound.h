// What carries a Peer's operations to the other party. One implementation per protocol.
#pragma once

#include <memory>
#include <string>

#include "base/operation.h"
#include "base/tensor.h"
#include "grpc/client.h"

namespace efl {

// An operation whose end the other party decides, and where to find what asks it.
struct Errand {
  OperationPtr operation;
  std::shared_ptr<CallSlot> slot;
};

class Outbound {
 public:
  virtual ~Outbound() = default;
  virtual void Connect(const Errand& errand) = 0;
  virtual void SendTensor(const Errand& errand, OutgoingTensor tensor) = 0;
  virtual void AskReaderState(const Errand& errand, const std::string& dataset) = 0;
  virtual void AskCheckpointVersion(const Errand& errand) = 0;
  // A send has failed before it got here; the other party may be waiting for it.
  virtual void TellFailed(const std::string& name, int64_t step, const Status& status) = 0;
  // Returns when the other party has taken note, or after a short while. Not on a kernel thread.
  virtual void SayGoodbye(const std::string& reason) = 0;
};

}  // namespace efl
