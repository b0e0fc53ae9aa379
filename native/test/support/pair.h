// Two parties in one process, over a real connection on loopback, and operations that can be waited
// for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/tensor.h"
#include "communicator/node.h"
#include "communicator/options.h"
#include "faults/fault_proxy.h"
#include "grpc/threads.h"

namespace efl::test {

// Longer than anything takes; a test that gets here fails instead of hanging.
constexpr std::chrono::seconds kLimit{60};

// The end of one operation. Fails the test when it is destroyed without it, or ended twice.
class Ending {
 public:
  struct Result {
    Status status;
    Outcome outcome;
  };

  Ending() = default;
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;
  ~Ending();

  Operation::Done done();
  Peer::Call call(uint64_t group = 0, int64_t timeout_ms = -1);

  // Waits for the end; fails the test when it doesn't come.
  const Result& Wait();
  Status status() { return Wait().status; }
  bool ended_within(std::chrono::milliseconds time);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Result> result_;
  bool used_ = false;
};

// What a receive brought.
struct Arrival {
  Ending ending;
  TensorInfo info;
  std::string bytes;

  std::function<void*(const TensorInfo&)> allocate();
};

// One party. Options that a test cares about are set before Open.
class Party {
 public:
  explicit Party(Role role);
  ~Party();

  // Listens at a free port of loopback.
  Status Open();
  // Opens the peer; ports are known by now.
  Status Meet(int peer_port);
  // Opens a peer that is going to dial.
  Status Await();

  Options options;
  std::shared_ptr<Node> node;
  std::shared_ptr<Peer> peer;
};

// A leader and a follower.
class Pair {
 public:
  Pair();

  // Opens and connects both. The tensor "x" (float, any shape) and the dataset "train" are
  // registered at both.
  void Connect();
  // The same in steps: opens both and lets them know each other; registers; connects.
  void Open();
  void Register();
  void ConnectPeers();

  // As Connect, with the leader's, or the follower's, way to the other one through a proxy.
  void ConnectThroughProxies();

  // Before any of these: over the trainer wire, whichever the tests run with.
  void UseTrainer();

  Party leader{Role::kLeader};
  Party follower{Role::kFollower};
  std::unique_ptr<faults::FaultProxy> to_leader;
  std::unique_ptr<faults::FaultProxy> to_follower;
};

// What serves a client's streams and alarms.
struct StreamQueue {
  StreamQueue() { threads.Start(&queue, 1); }
  ~StreamQueue() {
    queue.Shutdown();
    threads.Join();
  }
  grpc::CompletionQueue queue;
  QueueThreads threads;
};

// A float tensor of these values, whose bytes live in `values`.
OutgoingTensor Floats(const std::string& name, int64_t step, const std::vector<float>& values);
std::string BytesOf(const std::vector<float>& values);

// The status has this code, and this in its message.
void ExpectSaid(const Status& status, Code code, const std::string& text);

// Where time is what is asked for: no more than this since `begin`, which is printed.
void ExpectWithin(std::chrono::milliseconds time, std::chrono::steady_clock::time_point begin);

// Both parties exchange one tensor: at an even step the follower sends it.
void Exchange(Pair* pair, int64_t step = 0, const std::vector<float>& values = {1, 2, 3});

// Waits until this holds; false when it doesn't come to that.
bool Eventually(const std::function<bool()>& holds);
// Waits until the peer's mailbox holds so many tensors that nobody has asked for.
void AwaitParked(const Peer& peer, int64_t count);

// Runs it on a thread of its own. When it doesn't end in time the process does, for it can't go on.
void Within(std::chrono::seconds time, const std::function<void()>& run);

// A free port, which stays bound, so that nobody else is given it. Who is told it can listen on it.
int FreePort();

}  // namespace efl::test
