// The threads that serve one completion queue.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <vector>

#include "base/kernel_thread.h"
#include "grpc/tag.h"
#include "grpcpp/completion_queue.h"

namespace efl {

class QueueThreads {
 public:
  // The queue has to outlive Join.
  void Start(grpc::CompletionQueue* queue, int count) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([queue] {
        const KernelScope scope;
        // A connection that the peer has closed is a status, not a signal.
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
        void* tag = nullptr;
        bool ok = false;
        while (queue->Next(&tag, &ok)) Tag::Run(tag, ok);
      });
    }
  }

  // Returns when the queue was shut down and has been drained.
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::vector<std::thread> threads_;
};

}  // namespace efl
