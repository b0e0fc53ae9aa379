#include <memory>
#include <mutex>
#include <utility>

#include "grpc/client_pending.h"
#include "grpc/steady_time.h"
#include "grpcpp/alarm.h"

namespace efl {

class Client::Timer final : public Client::Pending,
                            public std::enable_shared_from_this<Client::Timer> {
 public:
  Timer(Client* client, Alarm run)
      : client_(client), run_(std::move(run)), tag_([this](bool ok) { OnDone(ok); }) {}

  void Start(int64_t ms) {
    self_ = shared_from_this();
    std::lock_guard<std::mutex> lock(mutex_);
    alarm_.Set(client_->stream_queue_, SteadyTimeAfter(ms), tag_.Hand());
  }

  void Cancel(const Status&) override {
    std::lock_guard<std::mutex> lock(mutex_);
    alarm_.Cancel();
  }
  void Cut(const Status&) override {}

 private:
  void OnDone(bool ok) {
    const auto self = std::move(self_);
    if (ok) run_();
    run_ = nullptr;
    client_->Remove(self);
  }

  Client* const client_;
  Alarm run_;
  Tag tag_;
  std::mutex mutex_;  // gRPC's alarm is set and cancelled by one at a time
  grpc::Alarm alarm_;
  std::shared_ptr<Timer> self_;
};

void Client::After(int64_t ms, Alarm alarm) {
  auto timer = std::make_shared<Timer>(this, std::move(alarm));
  if (Add(timer)) timer->Start(ms);
}

}  // namespace efl
