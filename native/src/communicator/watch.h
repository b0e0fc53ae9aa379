// A thread that looks after something now and then.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/kernel_thread.h"

namespace efl {

class Watch {
 public:
  Watch() = default;
  ~Watch() { Stop(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Nothing when it has been started already.
  void Start(std::chrono::milliseconds period, std::function<void()> look) {
    if (thread_.joinable()) return;
    thread_ = std::thread([this, period, look = std::move(look)] {
      const KernelScope scope;
      std::unique_lock<std::mutex> lock(mutex_);
      while (!stop_.wait_for(lock, period, [this] { return stopped_; })) {
        lock.unlock();
        look();
        lock.lock();
      }
    });
  }

  // Waits for a look under way. Not on its thread.
  void Stop() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopped_ = true;
    }
    stop_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace efl
