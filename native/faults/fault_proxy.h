// A TCP proxy on loopback that does to its connections what networks do: it cuts, resets, stalls,
// swallows, damages, refuses and reorders them, and makes them long, uneven or narrow, for a while
// when it is told to or by a schedule, or from the beginning to the end.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "faults/fault.h"
#include "faults/lane.h"

namespace efl::faults {

class FaultProxy {
 public:
  struct Options {
    int listen_port = 0;  // 0: any free one
    int target_port = 0;
    Line line;
    uint64_t seed = 1;  // of the jitter
  };

  // Listens; nothing is accepted before Start or Run. Throws std::system_error where it can't.
  explicit FaultProxy(const Options& options);
  // As above, on a thread of its own.
  explicit FaultProxy(int target_port);
  // Breaks every connection.
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  int port() const { return port_; }

  // Works on a thread of its own, or on this one, until Cut.
  void Start();
  void Run();

  // As what follows, from any thread; has begun on return if the proxy has a thread of its own.
  void Do(const Fault& fault);
  // Breaks every connection and forwards new ones: what a fault of the network looks like.
  void Break() { Do({Fault::Kind::kFin, Fault::Direction::kBoth, 0, 0}); }
  // Every connection, also each new one, suffers this, of kFin, kReset and kSwallow, until Heal;
  // what was swallowed leads nowhere then either.
  void Suffer(Fault::Kind kind);
  void Heal();
  // As Break, to another port from now on: what a restarted process looks like.
  void Retarget(int target_port);
  // Plays a schedule until it is told to stop; what a fault has begun still ends by itself.
  void Play(const FaultSchedule& schedule);
  void StopPlaying();
  // Breaks every connection and accepts no more: what a killed process looks like. Done on return.
  void Cut();

  // Faults so far that ended connections which had carried something.
  uint64_t cuts() const { return cuts_; }
  // Faults so far, of all kinds: "fin 12, reset 9, …".
  std::string Summary() const;

 private:
  struct Connection;
  struct Side;
  static constexpr int kKinds = 9;
  static constexpr int kMostInVain = 3;

  void Post(const std::function<void()>& act);
  void DoPosted();
  int64_t NextWakeup(int64_t now) const;
  void PlayWhatIsDue(int64_t now);
  bool AnyUseful() const;
  bool WaitsForUse() const { return in_vain_ >= kMostInVain && !AnyUseful(); }
  void Accept();
  Connection* Connect(int near);
  void Doom(int near);
  void LetHeldThrough();
  void Settle(Connection* connection);
  void Watch(Side* side, uint32_t wanted);
  void Apply(const Fault& fault);
  bool ResetAll();
  Line SlowLine(const Fault& fault) const;

  std::atomic<int> target_port_;
  const Line line_;
  std::minstd_rand seeds_;
  int listener_;
  const int epoll_;
  const int wakeup_;
  int port_ = 0;
  std::thread thread_;

  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;

  // Of the thread that runs.
  bool over_ = false;
  BlockStore store_;
  std::list<std::unique_ptr<Connection>> connections_;
  std::optional<FaultSchedule> schedule_;
  int64_t next_fault_at_ = 0;
  int in_vain_ = 0;  // faults of the schedule in a row: see FaultSchedule::Mix
  std::optional<Fault::Kind> suffers_;
  int64_t refuse_until_ = 0;
  int64_t hold_for_ms_ = 0;  // the next connection; 0: not
  int held_ = -1;
  int64_t held_until_ = 0;

  std::atomic<uint64_t> cuts_{0};
  std::array<std::atomic<uint64_t>, kKinds> faults_{};
};

}  // namespace efl::faults
