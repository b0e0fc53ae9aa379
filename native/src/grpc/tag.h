// What a completion queue returns to: one event of one call.
#pragma once

#include <functional>
#include <utility>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace efl {

// gRPC hands a tag from thread to thread by means that ThreadSanitizer can't see in a library it
// didn't instrument; Hand and Run say what happens.
class Tag {
 public:
  explicit Tag(std::function<void(bool)> run) : run_(std::move(run)) {}
  Tag(const Tag&) = delete;
  Tag& operator=(const Tag&) = delete;

  // The value to give to gRPC, right before it is given.
  void* Hand() {
#if defined(__SANITIZE_THREAD__)
    __tsan_release(this);
#endif
    return this;
  }

  static void Run(void* tag, bool ok) {
    auto* self = static_cast<Tag*>(tag);
#if defined(__SANITIZE_THREAD__)
    __tsan_acquire(self);
#endif
    self->run_(ok);
  }

 private:
  std::function<void(bool)> run_;
};

}  // namespace efl
