// What a completion queue returns to: one event of one call.
#pragma once

#include <functional>
#include <utility>

#include "grpc/hand_over.h"

namespace efl {

class Tag {
 public:
  explicit Tag(std::function<void(bool)> run) : run_(std::move(run)) {}
  Tag(const Tag&) = delete;
  Tag& operator=(const Tag&) = delete;

  // The value to give to gRPC, right before it is given.
  void* Hand() {
    HandOver(this);
    return this;
  }

  static void Run(void* tag, bool ok) {
    TakeOver(tag);
    static_cast<Tag*>(tag)->run_(ok);
  }

 private:
  std::function<void(bool)> run_;
};

}  // namespace efl
