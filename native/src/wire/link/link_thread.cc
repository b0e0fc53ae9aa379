#include "wire/link/link_thread.h"

#include <utility>

namespace efl {
namespace {

thread_local const void* working_on = nullptr;

}  // namespace

LinkThread::LinkThread(const void* link) : outer_(std::exchange(working_on, link)) {}
LinkThread::~LinkThread() { working_on = outer_; }
bool LinkThread::Inside(const void* link) { return working_on == link; }

}  // namespace efl
