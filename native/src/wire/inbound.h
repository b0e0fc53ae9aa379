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
  // Memory that it keeps until it is answered.
  virtual size_t held_bytes() const = 0;
  // Not OK: the content could not be decoded; name and step are right as far as they could be read.
  virtual const Status& defect() const = 0;

  // Writes info().size bytes to `to`, then calls `landed`, once. Not after Answer.
  virtual void Land(void* to, std::function<void(const Status&)> landed) = 0;
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
};

}  // namespace efl
