// One party of the kernel, through efl.h, and what its callbacks have to keep apart. An operation
// that fails ends the process with what its status says.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "args.h"
#include "efl/efl.h"
#include "process.h"

namespace efl::bench {

class Party {
 public:
  // Listens. serve is the leader, drive the follower.
  explicit Party(const Args& args);
  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;
  ~Party();

  void Register(const std::string& name);
  void Connect();

  // `finished`: the peer has consumed the tensor, and the data aren't read any more.
  void Send(const std::string& name, int64_t step, const uint8_t* data, size_t size,
            std::function<void()> finished);
  // Runs `done` on a kernel thread. `allocate` is asked for memory of the size of the tensor.
  void Receive(const std::string& name, int64_t step, std::function<uint8_t*(size_t)> allocate,
               std::function<void()> done);

  // A figure, from the serving side: what it has received so far was right. Waits for nothing.
  void SendVerdict(int64_t number, float figure);
  // Waits for it.
  float AwaitVerdict(int64_t number);

 private:
  void SendAny(const std::string& name, int64_t step, const void* data, size_t size,
               std::function<void()> finished, bool must_succeed);

  efl_options* options_;
  efl_node* node_;
  efl_peer* peer_;
};

// Waited for by one thread, counted up by any.
class Counter {
 public:
  void Add();
  void AwaitAtLeast(uint64_t count);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t count_ = 0;
};

// Reused buffers of one size, the one given back last first. None left ends the process.
class Pool {
 public:
  Pool(size_t count, size_t size);
  uint8_t* Take();
  void GiveBack(uint8_t* buffer);

 private:
  std::vector<Buffer> buffers_;
  std::mutex mutex_;
  std::vector<uint8_t*> free_;
};

}  // namespace efl::bench
