#include "base/thread_mark.h"

namespace efl {
namespace {

thread_local const void* this_threads_owner = nullptr;

}  // namespace

void MarkThread(const void* owner) { this_threads_owner = owner; }

bool OnThreadOf(const void* owner) { return this_threads_owner == owner; }

}  // namespace efl
