// What a wire takes from the other party and hands to the Peer it belongs to.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/tensor.h"
#include "communicator/operation.h"

namespace efl {

// One tensor that came in, and the answer that its sender waits for. Whoever holds it last without
// having answered leaves the sender with CANCELLED.
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
  virtual void OnGivenUp(std::function<void()> given_up) = 0;
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
  virtual void OnConnect(const QuestionPtr& question) = 0;
  virtual void OnTensor(const DeliveryPtr& delivery) = 0;
  virtual void OnReaderStateQuestion(const std::string& dataset, const QuestionPtr& question) = 0;
  virtual void OnCheckpointQuestion(const QuestionPtr& question) = 0;
  // A tensor that a receive may be waiting for doesn't come.
  virtual void OnSendFailed(const std::string& name, int64_t step, const Status& status) = 0;
};

}  // namespace efl
