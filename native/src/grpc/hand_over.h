// gRPC hands what it is given from thread to thread by means that ThreadSanitizer can't see in a
// library that isn't instrumented. These two say what happens; they cost nothing elsewhere.
#pragma once

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace efl {

// Right before gRPC gets it.
inline void HandOver([[maybe_unused]] void* what) {
#if defined(__SANITIZE_THREAD__)
  __tsan_release(what);
#endif
}

// Right after gRPC has given it back.
inline void TakeOver([[maybe_unused]] void* what) {
#if defined(__SANITIZE_THREAD__)
  __tsan_acquire(what);
#endif
}

}  // namespace efl
