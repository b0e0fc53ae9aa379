// Whether the calling thread runs for the kernel: one of its threads, or a caller that is inside a
// callback. Such a thread must not wait for the kernel, or it waits for itself.
#pragma once

namespace efl {

// For the life of the scope, which may be that of the thread.
class KernelScope {
 public:
  KernelScope();
  ~KernelScope();
  KernelScope(const KernelScope&) = delete;
  KernelScope& operator=(const KernelScope&) = delete;

  static bool Inside();
};

}  // namespace efl
