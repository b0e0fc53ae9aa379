#include "base/kernel_thread.h"

namespace efl {
namespace {

thread_local int depth = 0;

}  // namespace

KernelScope::KernelScope() { ++depth; }

KernelScope::~KernelScope() { --depth; }

bool KernelScope::Inside() { return depth > 0; }

}  // namespace efl
