// The threads that serve one completion queue.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/kernel_thread.h"
#include "grpc/eager.h"
#include "grpc/steady_time.h"
#include "grpc/tag.h"
#include "grpcpp/completion_queue.h"

namespace efl {

// Lets threads wait for a queue's events only while there are any to come. A thread that waits for
// gRPC's events reads from the network whatever comes for anybody in the process, and has to wake
// the thread that it is for; an idle one must not get in between.
class Gate {
 public:
  // One event more, or less, to come.
  void Expect(int change) {
    std::lock_guard<std::mutex> lock(mutex_);
    expected_ += change;
    if (expected_ > 0) changed_.notify_all();
  }
  // No thread waits here any more.
  void Remove() {
    std::lock_guard<std::mutex> lock(mutex_);
    removed_ = true;
    changed_.notify_all();
  }
  // Returns when something is to come.
  void Pass() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return expected_ > 0 || removed_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int expected_ = 0;
  bool removed_ = false;
};

class QueueThreads {
 public:
  // The queue, and the gate, if any, have to outlive Join.
  void Start(grpc::CompletionQueue* queue, int count, Gate* gate = nullptr) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([queue, gate] {
        const KernelScope scope;
        // A connection that the peer has closed is a status, not a signal.
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
        void* tag = nullptr;
        bool ok = false;
        while (Next(queue, gate, &tag, &ok)) Tag::Run(tag, ok);
      });
    }
  }

  // Returns when the queue was shut down and has been drained.
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  // Of several threads all but one may wait in vain.
  static constexpr int64_t kLookAgainMs = 100;

  static bool Next(grpc::CompletionQueue* queue, Gate* gate, void** tag, bool* ok) {
    while (Eager::On()) {
      const auto status = queue->AsyncNext(tag, ok, gpr_time_0(GPR_CLOCK_MONOTONIC));
      if (status != grpc::CompletionQueue::TIMEOUT) {
        return status == grpc::CompletionQueue::GOT_EVENT;
      }
      // What is awaited may be the work of a thread that waits for this very core.
      sched_yield();
    }
    if (gate == nullptr) return queue->Next(tag, ok);
    for (;;) {
      gate->Pass();
      const auto status = queue->AsyncNext(tag, ok, SteadyTimeAfter(kLookAgainMs));
      if (status != grpc::CompletionQueue::TIMEOUT) {
        return status == grpc::CompletionQueue::GOT_EVENT;
      }
    }
  }

  std::vector<std::thread> threads_;
};

}  // namespace efl
