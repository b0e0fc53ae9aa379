// Whether ThreadSanitizer tells of races on the threads of a completion queue: its suppressions,
// which are for gRPC's own, have names that occur in ours.
#if defined(__SANITIZE_THREAD__)
#include <gtest/gtest.h>

#include <atomic>

#include "grpc/threads.h"
#include "grpcpp/alarm.h"
#include "support/child.h"

namespace efl::test {
namespace {

// What ThreadSanitizer ends a process with that has raced.
constexpr int kRaced = 66;

void Race(int) {
  int raced = 0;
  std::atomic<bool> over{false};
  grpc::CompletionQueue queue;
  QueueThreads threads;
  threads.Start(&queue, 1);
  Tag tag([&](bool) {
    ++raced;
    over.store(true, std::memory_order_relaxed);
  });
  grpc::Alarm alarm;
  alarm.Set(&queue, gpr_now(GPR_CLOCK_MONOTONIC), tag.Hand());
  while (!over.load(std::memory_order_relaxed)) ++raced;
  queue.Shutdown();
  threads.Join();
}

const ChildProgram kRaces("races", &Race);

TEST(SanitizerTest, ShouldTellOfARaceOnAThreadOfAQueue) {
  EXPECT_EQ(Child("races", 0).Wait(), kRaced);
}

}  // namespace
}  // namespace efl::test
#endif
