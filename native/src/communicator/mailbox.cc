#include "communicator/mailbox.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/kernel_thread.h"
#include "base/utf8.h"

namespace efl {
namespace {

// Of a tensor that is held back at its sender: nobody can fill the memory with announcements.
constexpr int64_t kHeldCost = 1 << 10;
// Of the mailbox, what content doesn't fill: what is held back then has a place to be remembered
// in.
constexpr int64_t kShareOfTheHeld = 8;
// A name nobody knows may have any length.
constexpr size_t kMaxNameSaid = 256;
// Of one name; older ones make room.
constexpr size_t kFailuresKept = 16;

// The receive is claimed.
void Land(const ReceivePtr& receive, const DeliveryPtr& delivery) {
  const TensorInfo& info = delivery->info();
  const KernelScope scope;  // it may close the node, on the receiver's own thread too
  void* to = receive->allocate(info);
  if (to == nullptr && info.size > 0) {
    const Status status(Code::kResourceExhausted,
                        absl::StrCat("the receiver has no room for ", info.size, " bytes"));
    delivery->Answer(status);
    receive->operation->End(status);
    return;
  }
  // The bytes may take their time, so the receive can be abandoned; see Withdraw.
  receive->landing = delivery;
  receive->operation->set_note("not all of it has arrived");
  receive->operation->Unclaim();
  delivery->Land(to, [receive](const Status& status) {
    if (!receive->operation->Claim()) return;
    const DeliveryPtr landed = std::exchange(receive->landing, nullptr);
    Status kept = status;
    if (status.ok() && receive->record) kept = receive->record(landed->info());
    landed->Answer(kept);
    receive->operation->End(kept);
  });
}

bool Fits(const std::vector<int64_t>& declared, const std::vector<int64_t>& dims) {
  return declared.size() == dims.size() &&
         std::equal(declared.begin(), declared.end(), dims.begin(),
                    [](int64_t want, int64_t have) { return want < 0 || want == have; });
}

}  // namespace

Status Mailbox::Register(const std::string& name, int32_t dtype,
                         const std::optional<std::vector<int64_t>>& dims) {
  if (name.empty()) return {Code::kInvalidArgument, "a tensor needs a name"};
  if (!DTypeIsKnown(dtype)) {
    return {Code::kInvalidArgument,
            absl::StrCat("tensor '", name, "': dtype ", dtype, " cannot be received")};
  }
  std::lock_guard<std::mutex> lock(mutex_);
  const auto [at, added] = boxes_.try_emplace(name);
  Box& box = at->second;
  if (!added && (box.dtype != dtype || box.dims != dims)) {
    return {Code::kAlreadyExists,
            absl::StrCat("tensor '", name, "' is registered as ", DTypeName(box.dtype),
                         box.dims ? ShapeText(*box.dims) : " of any shape")};
  }
  box.dtype = dtype;
  box.dims = dims;
  return {};
}

Status Mailbox::Check(const Box& box, const TensorInfo& info) const {
  if (info.dtype != box.dtype) {
    return {Code::kInvalidArgument, absl::StrCat("sent as ", DTypeName(info.dtype),
                                                 ", expected as ", DTypeName(box.dtype))};
  }
  if (box.dims && !Fits(*box.dims, info.dims)) {
    return {Code::kInvalidArgument, absl::StrCat("sent with shape ", ShapeText(info.dims),
                                                 ", expected ", ShapeText(*box.dims))};
  }
  return {};
}

void Mailbox::Deliver(const DeliveryPtr& delivery, uint64_t admitted) {
  Consequence follows;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    follows = Decide(delivery, admitted);
  }
  follows();
}

Mailbox::Consequence Mailbox::Decide(const DeliveryPtr& delivery, uint64_t admitted) {
  const auto answer = [delivery](Status status) {
    return [delivery, status = std::move(status)] { delivery->Answer(status); };
  };
  const TensorInfo& info = delivery->info();
  if (!closed_.ok()) return answer(closed_);
  if (admitted < admission_) return answer(NotReady());
  const auto at = boxes_.find(info.name);
  if (at == boxes_.end()) {
    if (!delivery->defect().ok()) return answer(delivery->defect());
    // Existing parties look for this sentence.
    return answer(
        {Code::kNotFound,
         absl::StrCat("Tensor named ", Utf8Prefix(info.name, kMaxNameSaid), " not registered.")});
  }
  Box& box = at->second;
  if (!delivery->defect().ok()) return Refuse(&box, delivery, delivery->defect());
  if (info.size > static_cast<uint64_t>(max_tensor_bytes_)) {
    return Refuse(&box, delivery,
                  {Code::kResourceExhausted,
                   absl::StrCat("a tensor of ", info.size, " bytes is over the receiver's ",
                                "max_tensor_bytes (EFL_MAX_TENSOR_BYTES) = ", max_tensor_bytes_)});
  }
  if (Status status = Check(box, info); !status.ok()) return Refuse(&box, delivery, status);
  if (ReceivePtr receive = TakeWaiting(&box, info.step)) {
    return [receive, delivery] { Land(receive, delivery); };
  }
  while (!box.waiting.empty()) {
    const ReceivePtr oldest = std::move(box.waiting.front());
    box.waiting.pop_front();
    if (oldest->operation->Claim()) return Mismatch(oldest, delivery);
  }
  auto cost = static_cast<int64_t>(delivery->cost());
  const int64_t room = limit_bytes_ - parked_bytes_;
  const bool hold = delivery->can_hold() && cost > room - limit_bytes_ / kShareOfTheHeld;
  if (hold) cost = kHeldCost;
  if (cost > room) {
    return answer(
        {Code::kResourceExhausted,
         absl::StrCat("the receiver holds ", parked_bytes_, " bytes that it hasn't asked for; ",
                      info.size,
                      " more exceed its mailbox_bytes (EFL_MAILBOX_BYTES) = ", limit_bytes_)});
  }
  Park(&box, delivery, cost);
  return [this, delivery, hold] {
    if (hold) delivery->Hold();
    delivery->OnGivenUp(
        [this, weak = std::weak_ptr<Delivery>(delivery)] { return GivenUp(weak.lock()); });
  };
}

void Mailbox::Park(Box* box, const DeliveryPtr& delivery, int64_t cost) {
  parked_bytes_ += cost;
  box->parked.push_back({delivery->info().step, cost, delivery, {}});
}

// The oldest live receive of this step, claimed.
ReceivePtr Mailbox::TakeWaiting(Box* box, int64_t step) {
  for (auto at = box->waiting.begin(); at != box->waiting.end();) {
    if ((*at)->step != step) {
      ++at;
      continue;
    }
    ReceivePtr receive = std::move(*at);
    at = box->waiting.erase(at);
    if (receive->operation->Claim()) return receive;
  }
  return nullptr;
}

// Fails the tensor at both ends: now, or when the receive comes.
Mailbox::Consequence Mailbox::Refuse(Box* box, const DeliveryPtr& delivery, const Status& status) {
  const ReceivePtr receive = TakeWaiting(box, delivery->info().step);
  if (receive == nullptr) KeepFailure(box, delivery->info().step, status);
  return [receive, delivery, status] {
    delivery->Answer(status);
    if (receive != nullptr) receive->operation->End(status);
  };
}

// The receive is claimed.
Mailbox::Consequence Mailbox::Mismatch(const ReceivePtr& receive, const DeliveryPtr& delivery) {
  const Status status(Code::kDataLoss,
                      absl::StrCat("the parties are out of step: step ", delivery->info().step,
                                   " was sent, step ", receive->step, " is awaited"));
  return [receive, delivery, status] {
    delivery->Answer(status);
    receive->operation->End(status);
  };
}

void Mailbox::KeepFailure(Box* box, int64_t step, const Status& status) {
  const auto is_failure = [](const Parked& parked) { return parked.delivery == nullptr; };
  const auto failures = std::count_if(box->parked.begin(), box->parked.end(), is_failure);
  if (static_cast<size_t>(failures) >= kFailuresKept) {
    box->parked.erase(std::find_if(box->parked.begin(), box->parked.end(), is_failure));
  }
  box->parked.push_back({step, 0, nullptr, status});
}

bool Mailbox::Post(const ReceivePtr& receive) {
  Consequence follows;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    follows = Decide(receive);
  }
  if (follows) follows();
  return !follows;
}

Mailbox::Consequence Mailbox::Decide(const ReceivePtr& receive) {
  const auto end = [receive](Status status) {
    return [receive, status = std::move(status)] { receive->operation->TryEnd(status); };
  };
  const auto at = boxes_.find(receive->name);
  if (at == boxes_.end()) {
    return end({Code::kInvalidArgument,
                absl::StrCat("no tensor of this name is registered to be received")});
  }
  Box& box = at->second;
  for (const ReceivePtr& other : box.waiting) {
    if (other->step == receive->step && !other->operation->claimed()) {
      return end({Code::kAlreadyExists,
                  "a receive of this name and step is waiting already: one receive for each send"});
    }
  }
  // A failure of an earlier step concerns nobody any more.
  while (!box.parked.empty() && box.parked.front().delivery == nullptr &&
         box.parked.front().step < receive->step) {
    box.parked.pop_front();
  }
  if (receive->operation->claimed()) return [] {};
  auto found = std::find_if(box.parked.begin(), box.parked.end(),
                            [&](const Parked& parked) { return parked.step == receive->step; });
  const bool matches = found != box.parked.end();
  // A tensor of another step is out of step. The failure of another one says nothing: it doesn't
  // travel in line with the tensors.
  if (!matches) {
    found = std::find_if(box.parked.begin(), box.parked.end(),
                         [](const Parked& parked) { return parked.delivery != nullptr; });
  }
  if (found == box.parked.end()) {
    box.waiting.push_back(receive);
    return nullptr;
  }
  if (!receive->operation->Claim()) return [] {};
  const Parked parked = std::move(*found);
  box.parked.erase(found);
  if (parked.delivery == nullptr) {
    return [receive, status = parked.failure] { receive->operation->End(status); };
  }
  parked_bytes_ -= parked.cost;
  if (!matches) return Mismatch(receive, parked.delivery);
  return [receive, delivery = parked.delivery] { Land(receive, delivery); };
}

void Mailbox::Fail(const std::string& name, int64_t step, const Status& status, uint64_t admitted) {
  ReceivePtr receive;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (admitted < admission_) return;
    const auto at = boxes_.find(name);
    if (at == boxes_.end()) return;
    receive = TakeWaiting(&at->second, step);
    if (receive == nullptr) KeepFailure(&at->second, step, status);
  }
  if (receive != nullptr) receive->operation->End(status);
}

bool Mailbox::GivenUp(const DeliveryPtr& delivery) {
  if (delivery == nullptr) return false;
  std::lock_guard<std::mutex> lock(mutex_);
  std::deque<Parked>& parked = boxes_[delivery->info().name].parked;
  const auto at = std::find_if(parked.begin(), parked.end(),
                               [&](const Parked& one) { return one.delivery == delivery; });
  if (at == parked.end()) return false;
  parked_bytes_ -= at->cost;
  parked.erase(at);
  return true;
}

bool Mailbox::Holds(const std::string& name, int64_t step) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto at = boxes_.find(name);
  return at != boxes_.end() &&
         std::any_of(at->second.parked.begin(), at->second.parked.end(), [step](const Parked& one) {
           return one.delivery != nullptr && one.step == step;
         });
}

void Mailbox::Bind(const ReceivePtr& receive) {
  receive->operation->set_abandon([this, receive](const Status& why) { Withdraw(receive, why); });
}

// The receive is claimed.
void Mailbox::Withdraw(const ReceivePtr& receive, const Status& why) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto at = boxes_.find(receive->name);
    if (at == boxes_.end()) return;
    std::deque<ReceivePtr>& waiting = at->second.waiting;
    waiting.erase(std::remove(waiting.begin(), waiting.end(), receive), waiting.end());
  }
  if (const auto landing = std::exchange(receive->landing, nullptr)) landing->Stop(why);
}

void Mailbox::Forget(uint64_t admission) {
  std::vector<DeliveryPtr> dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    admission_ = admission;
    for (auto& [name, box] : boxes_) {
      for (Parked& parked : box.parked) {
        parked_bytes_ -= parked.cost;
        if (parked.delivery != nullptr) dropped.push_back(std::move(parked.delivery));
      }
      box.parked.clear();
    }
  }
  for (const DeliveryPtr& delivery : dropped) {
    delivery->Answer({Code::kAborted, "the receiver has begun anew"});
  }
}

std::vector<OperationPtr> Mailbox::Waiting() const {
  std::vector<OperationPtr> all;
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [name, box] : boxes_) {
    for (const ReceivePtr& receive : box.waiting) all.push_back(receive->operation);
  }
  return all;
}

int64_t Mailbox::parked_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return parked_bytes_;
}

int64_t Mailbox::parked_tensors() const {
  std::lock_guard<std::mutex> lock(mutex_);
  int64_t count = 0;
  for (const auto& [name, box] : boxes_) {
    for (const Parked& parked : box.parked) count += parked.delivery != nullptr ? 1 : 0;
  }
  return count;
}

void Mailbox::Close(const Status& status) {
  std::vector<Parked> refused;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_ = status;
    for (auto& [name, box] : boxes_) {
      std::move(box.parked.begin(), box.parked.end(), std::back_inserter(refused));
      box.parked.clear();
    }
    parked_bytes_ = 0;
  }
  for (const Parked& parked : refused) {
    if (parked.delivery != nullptr) parked.delivery->Answer(status);
  }
}

}  // namespace efl
