// What a wire takes from the other party and hands to the Peer it belongs to.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "base/operation.h"
#include "base/status.h"
#include "base/tensor.h"
#include "grpc/certificate.h"

namespace efl {

// Whoever hears this tries again.
inline Status NotReady() { return {Code::kUnavailable, "This party is not ready yet."}; }

// As an admission: it is never too old.
constexpr uint64_t kAlways = std::numeric_limits<uint64_t>::max();

// One tensor that came in, and the answer that its sender waits for. Whoever holds it last without
// having answered leaves the sender with CANCELLED, over the trainer wire.
class Delivery {
 public:
  virtual ~Delivery() = default;

  virtual const TensorInfo& info() const = 0;
  // Memory that it takes, at most, until it lands or is answered; the same each time.
  virtual size_t cost() const = 0;
  // There is no room for that: it keeps no content until it lands, if it can do so.
  virtual bool can_hold() const { return false; }
  virtual void Hold() {}
  // Not OK: the content could not be decoded; name and step are right as far as they could be read.
  virtual const Status& defect() const = 0;

  // Writes info().size bytes to `to`, now or as they come, then calls `landed`, once. Not after
  // Answer; after Stop it does nothing.
  virtual void Land(void* to, std::function<void(const Status&)> landed) = 0;
  // The receive has ended otherwise: nothing is written any more when this returns. Tells the
  // sender.
  virtual void Stop(const Status& why) = 0;
  // Tells the sender, once.
  virtual void Answer(const Status& status) = 0;
  // Runs when the sender gives up before it was answered; at once when it has done so already.
  // Returns whether it was parked: no receive has it, one is still to come.
  virtual void OnGivenUp(std::function<bool()> given_up) = 0;
};
using DeliveryPtr = std::shared_ptr<Delivery>;

// Something that the other party asks for and waits for.
class Question {
 public:
  virtual ~Question() = default;
  // Once. `sent`: whether the answer got out.
  virtual void Answer(const Status& status, const Outcome& outcome,
                      std::function<void(bool)> sent) = 0;
  virtual void OnGivenUp(std::function<void()> given_up) = 0;
};
using QuestionPtr = std::shared_ptr<Question>;

// The receiving half of a Peer. Called on server threads.
class Inbound {
 public:
  virtual ~Inbound() = default;
  // Whether it may speak for the peer, by its certificate.
  virtual Status CheckCaller(const PeerCertificatePtr& caller) const = 0;
  // To be asked for before CheckCaller, and handed on with what the caller brings: it is refused
  // when somebody else may be the peer by then.
  virtual uint64_t admission() const = 0;
  virtual void OnConnect(const QuestionPtr& question) = 0;
  virtual void OnTensor(const DeliveryPtr& delivery, uint64_t admitted) = 0;
  virtual void OnReaderStateQuestion(const std::string& dataset, const QuestionPtr& question,
                                     uint64_t admitted) = 0;
  virtual void OnCheckpointQuestion(const QuestionPtr& question, uint64_t admitted) = 0;
  // A tensor that a receive may be waiting for doesn't come.
  virtual void OnSendFailed(const std::string& name, int64_t step, const Status& status,
                            uint64_t admitted) = 0;
};

}  // namespace efl
