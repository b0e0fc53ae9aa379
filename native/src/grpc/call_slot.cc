// Calls that somebody may want to cancel before they have even started.
#include <memory>

#include "grpc/client.h"

namespace efl {

void CallSlot::Hold(std::shared_ptr<ClientCall> call) {
  Status cancelled;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    call_ = call;
    cancelled = cancelled_;
  }
  if (!cancelled.ok()) call->Cancel(cancelled);
}

void CallSlot::Cancel(const Status& why) {
  std::shared_ptr<ClientCall> call;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    cancelled_ = why;
    call = call_;
  }
  if (call != nullptr) call->Cancel(why);
}

Status CallSlot::cancelled() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return cancelled_;
}

}  // namespace efl
