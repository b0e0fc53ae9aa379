// What has arrived and what is awaited, by name and step. The table of outcomes is in DESIGN.md.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/operation.h"
#include "wire/inbound.h"

namespace efl {

// A receive that waits for its tensor.
struct Receive {
  OperationPtr operation;
  std::string name;
  int64_t step = 0;
  // Where the elements go; null when there is no room.
  std::function<void*(const TensorInfo&)> allocate;
  // What is landing in it, from then on. Of whoever claims the receive, who then answers it.
  DeliveryPtr landing = nullptr;
  // Run when it has landed, before this party learns of it, and the other one, unless that has
  // heard that it was parked. Not OK: that is how it ends.
  std::function<Status(const TensorInfo&)> record = nullptr;
};
using ReceivePtr = std::shared_ptr<Receive>;

class Mailbox {
 public:
  // What is parked at most, and what a tensor may take at most.
  explicit Mailbox(int64_t limit_bytes,
                   int64_t max_tensor_bytes = std::numeric_limits<int64_t>::max())
      : limit_bytes_(limit_bytes), max_tensor_bytes_(max_tensor_bytes) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // dims: none for any shape, -1 for any size.
  Status Register(const std::string& name, int32_t dtype,
                  const std::optional<std::vector<int64_t>>& dims);

  // `admitted`: when its sender was let in.
  void Deliver(const DeliveryPtr& delivery, uint64_t admitted = kAlways);
  // Before it is watched: ended from outside it then no longer waits, and nothing lands in it any
  // more.
  void Bind(const ReceivePtr& receive);
  // Whether it waits.
  bool Post(const ReceivePtr& receive);

  // The peer's send of this name and step has failed.
  void Fail(const std::string& name, int64_t step, const Status& status,
            uint64_t admitted = kAlways);
  // What came and what failed in an earlier life of the connection says nothing about this one, nor
  // does what comes from whoever was let in before `admission`.
  void Forget(uint64_t admission = 0);
  // Whether this tensor is here, all of it or some.
  bool Holds(const std::string& name, int64_t step);
  // The receives that wait.
  std::vector<OperationPtr> Waiting() const;
  // What came in and was not asked for yet.
  int64_t parked_bytes() const;
  int64_t parked_tensors() const;

  // Refuses what is parked and whatever still comes.
  void Close(const Status& status);

 private:
  // What came in and was not asked for yet: a tensor, or the failure of one.
  struct Parked {
    int64_t step;
    int64_t cost;
    DeliveryPtr delivery;
    Status failure;
  };
  struct Box {
    int32_t dtype = 0;
    std::optional<std::vector<int64_t>> dims;
    std::deque<Parked> parked;
    std::deque<ReceivePtr> waiting;
  };
  // What follows from a decision taken under the lock, done after it is released.
  using Consequence = std::function<void()>;

  Consequence Decide(const DeliveryPtr& delivery, uint64_t admitted);
  // None: it waits.
  Consequence Decide(const ReceivePtr& receive);
  Consequence Refuse(Box* box, const DeliveryPtr& delivery, const Status& status);
  Consequence Mismatch(const ReceivePtr& receive, const DeliveryPtr& delivery);
  Status Check(const Box& box, const TensorInfo& info) const;
  ReceivePtr TakeWaiting(Box* box, int64_t step);
  void Park(Box* box, const DeliveryPtr& delivery, int64_t cost);
  bool GivenUp(const DeliveryPtr& delivery);
  void Withdraw(const ReceivePtr& receive, const Status& why);
  void KeepFailure(Box* box, int64_t step, const Status& status);

  const int64_t limit_bytes_;
  const int64_t max_tensor_bytes_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Box> boxes_;
  int64_t parked_bytes_ = 0;
  uint64_t admission_ = 0;
  Status closed_;
};

}  // namespace efl
