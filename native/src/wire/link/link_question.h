// What the peer asks over a link, and waits for.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "wire/link/link.h"

namespace efl {

class Link::LinkQuestion final : public Question {
 public:
  LinkQuestion(std::weak_ptr<Link> link, uint64_t life, uint64_t call)
      : link_(std::move(link)), life_(life), call_(call) {}

  void Answer(const Status& status, const Outcome& outcome,
              std::function<void(bool)> sent) override {
    const auto link = link_.lock();
    if (link != nullptr) {
      link->Reply(life_, call_, status, outcome, std::move(sent));
    } else if (sent) {
      sent(false);
    }
  }

  void OnGivenUp(std::function<void()> given_up) override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!gone_) {
        given_up_ = std::move(given_up);
        return;
      }
    }
    given_up();
  }

  void GiveUp() {
    std::function<void()> given_up;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      gone_ = true;
      given_up = std::exchange(given_up_, nullptr);
    }
    if (given_up) given_up();
  }

 private:
  const std::weak_ptr<Link> link_;
  const uint64_t life_;
  const uint64_t call_;
  std::mutex mutex_;
  bool gone_ = false;
  std::function<void()> given_up_;
};

}  // namespace efl
