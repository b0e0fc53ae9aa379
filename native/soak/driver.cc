#include "driver.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "child.h"
#include "content.h"
#include "faults/fault_proxy.h"
#include "ledger.h"
#include "party.h"

namespace efl::soak {
namespace {

using Clock = std::chrono::steady_clock;
using faults::FaultProxy;
using faults::FaultSchedule;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kInFlight = 24;  // each way
// Longer than anything takes that a party doesn't give up by itself.
constexpr seconds kHang{60};
// Until its memory is what it will be.
constexpr seconds kWarm{5};
// How long it is compared with that, at least.
constexpr seconds kCompare{5};
constexpr seconds kRetry{1};
// A party that is killed is away for less, mostly.
constexpr int64_t kReconnectMs = 10'000;
constexpr milliseconds kBetweenRenewals{4000};
// As an operator renews certificates, from the project's root.
constexpr const char* kRenew[] = {"scripts/certs", "--renew"};

// A party in one of its lives.
struct Life {
  std::unique_ptr<Child> child;
  int port = 0;
  bool connecting = false;
  bool connected = false;
  bool watching = false;
  Clock::time_point connected_at;
  double warm_mib = 0;  // 0: not yet
  // It takes nothing for a while: the receives that it will be told then.
  Clock::time_point takes_again_at;
  std::deque<std::string> to_take;
};

class Driver {
 public:
  explicit Driver(const Plan& plan) : plan_(plan), random_(plan.seed) {}

  Figures Run();

 private:
  Life& life(Side side) { return lives_[static_cast<size_t>(side)]; }
  FaultProxy& way_to(Side side) { return *proxies_[static_cast<size_t>(side)]; }
  int64_t Between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(most - least + 1));
  }

  bool Start(Side side);
  void OnLine(Side side, const std::string& line);
  bool Connect();
  void Transfer(Clock::time_point until);
  void Begin(Side from);
  void Receive(Side side, const std::string& line);
  void Take(bool all);
  void Renew();
  void EndRenewal();
  bool Settle();
  Side KillOne();
  void LookAtMemory();
  std::vector<std::string> Command(Side side) const;

  const Plan plan_;
  std::mt19937_64 random_;
  std::unique_ptr<FaultProxy> proxies_[2];
  Life lives_[2];
  std::unique_ptr<Child> renewing_;
  Clock::time_point renewed_at_;

  std::mutex mutex_;  // of what the lines of the parties change
  std::condition_variable changed_;
  Ledger ledger_;
  uint64_t numbers_[2] = {0, 0};
  Figures figures_;
  int renewals_ = 0;
  int taken_ = 0;  // by the parties
};

std::vector<std::string> Driver::Command(Side side) const {
  const bool leads = side == Side::kLeader;
  std::vector<std::string> command;
  if (!plan_.preload.empty()) {
    command = {"/usr/bin/env", "LD_PRELOAD=" + plan_.preload, std::string(kClockJumps) + "=1"};
  }
  command.insert(command.end(), {plan_.program, "party"});
  const auto set = [&command](const std::string& key, const std::string& value) {
    command.push_back(key + "=" + value);
  };
  set("role", leads ? "leader" : "follower");
  set("listen_address", "127.0.0.1:0");
  set("peer_address",
      "127.0.0.1:" + std::to_string(proxies_[static_cast<size_t>(Other(side))]->port()));
  set("wire", "link");
  set("chunk_bytes", "65536");
  set("window_bytes", "4194304");
  set("encodings", "t?=zstd,t1?=bfloat16");
  set("mailbox_bytes", "2097152");
  set("reconnect_timeout_ms", std::to_string(kReconnectMs));
  set("send_completion", leads ? "accepted" : "consumed");
  if (!plan_.tls.empty()) {
    const std::string mine = plan_.tls + (leads ? "/leader" : "/follower");
    set("my_certs_file", mine + ".crt");
    set("my_key_file", mine + ".key");
    set("peer_certs_file", plan_.tls + "/ca.crt");
  }
  return command;
}

bool Driver::Start(Side side) {
  Life& its = life(side);
  its = Life();
  its.child = std::make_unique<Child>(
      Command(side), [this, side](const std::string& line) { OnLine(side, line); });
  std::unique_lock<std::mutex> lock(mutex_);
  if (!changed_.wait_for(lock, kHang, [&its] { return its.port > 0; })) {
    std::fprintf(stderr, "efl_soak: a party doesn't start\n");
    ++figures_.hangs;
    return false;
  }
  way_to(side).Retarget(its.port);
  return true;
}

void Driver::OnLine(Side side, const std::string& line) {
  std::lock_guard<std::mutex> lock(mutex_);
  Life& its = life(side);
  if (line.rfind("PORT ", 0) == 0) {
    its.port = std::stoi(line.substr(5));
  } else if (line.rfind("CONNECTED ", 0) == 0) {
    its.connecting = false;
    its.connected = line.rfind("CONNECTED 0", 0) == 0;
    its.connected_at = Clock::now();
    if (!its.connected) std::fprintf(stderr, "efl_soak: %s\n", line.c_str());
  } else if (line.rfind("WATCHED ", 0) == 0) {
    its.connected = its.watching = false;
  } else if (line == "RENEWED") {
    ++taken_;
  } else if (!line.empty()) {
    ledger_.OnLine(side, line);
  }
  changed_.notify_all();
}

// Until both say that they are connected; a party whose attempt has met the end of the other's
// earlier life tries again.
bool Driver::Connect() {
  const auto limit = Clock::now() + kHang;
  while (Clock::now() < limit) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (lives_[0].connected && lives_[1].connected) {
      for (Life& one : lives_) {
        if (!one.watching) one.child->Tell("WATCH");
        one.watching = true;
      }
      return true;
    }
    for (Life& one : lives_) {
      if (one.connected || one.connecting) continue;
      one.connecting = true;
      one.child->Tell("CONNECT");
    }
    changed_.wait_for(lock, kRetry);
  }
  std::fprintf(stderr, "efl_soak: the parties don't connect\n");
  ++figures_.hangs;
  return false;
}

void Driver::Begin(Side from) {
  static constexpr size_t kSizes[] = {1, 256, 256, 256, 256, 16384, 16384, 131072};
  const uint64_t number = ++numbers_[static_cast<size_t>(from)];
  const size_t most = random_() % 100 == 0 ? kMostFloats : kSizes[random_() % 8];
  const std::string rest = std::to_string(number) + " " + std::to_string(random_() % most);
  ledger_.Begin(from, number);
  const bool receive_first = random_() % 2 == 0;
  if (receive_first) Receive(Other(from), "RECV " + rest);
  life(from).child->Tell("SEND " + rest);
  if (!receive_first) Receive(Other(from), "RECV " + rest);
}

// At once, or, one time in 200, after a while, and with it all that come meanwhile: receives of a
// name keep their order.
void Driver::Receive(Side side, const std::string& line) {
  Life& its = life(side);
  if (its.to_take.empty() && random_() % 200 == 0) {
    its.takes_again_at = Clock::now() + milliseconds(Between(100, 1500));
  }
  if (its.to_take.empty() && Clock::now() >= its.takes_again_at) {
    its.child->Tell(line);
  } else {
    its.to_take.push_back(line);
  }
}

void Driver::Take(bool all) {
  for (Life& one : lives_) {
    if (!all && Clock::now() < one.takes_again_at) continue;
    for (; !one.to_take.empty(); one.to_take.pop_front()) one.child->Tell(one.to_take.front());
    one.takes_again_at = {};
  }
}

void Driver::EndRenewal() {
  if (renewing_ == nullptr || renewing_->Quit(20'000)) return;
  std::fprintf(stderr, "efl_soak: the certificates could not be renewed\n");
  ++figures_.hangs;
}

// Replaces certificates and keys of both while they use them.
void Driver::Renew() {
  if (plan_.tls.empty() || Clock::now() - renewed_at_ < kBetweenRenewals) return;
  EndRenewal();
  renewed_at_ = Clock::now();
  renewing_ = std::make_unique<Child>(std::vector<std::string>{kRenew[0], kRenew[1], plan_.tls},
                                      [](const std::string&) {});
  ++renewals_;
}

void Driver::Transfer(Clock::time_point until) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (Clock::now() < until && !ledger_.HasHung(kHang)) {
    for (const Side from : {Side::kLeader, Side::kFollower}) {
      while (ledger_.open_from(from) < kInFlight) Begin(from);
    }
    changed_.wait_for(lock, milliseconds(100));
    Take(false);
    Renew();
    LookAtMemory();
  }
}

// Waits until all that was begun has ended.
bool Driver::Settle() {
  std::unique_lock<std::mutex> lock(mutex_);
  Take(true);
  if (changed_.wait_for(lock, kHang, [this] { return ledger_.open() == 0; })) return true;
  ledger_.GiveUp();
  return false;
}

void Driver::LookAtMemory() {
  for (Life& one : lives_) {
    if (!one.connected) continue;
    const double now = one.child->resident_mib();
    if (one.warm_mib > 0 && now > 0) {
      figures_.rss_compared = true;
      figures_.max_rss_growth_mib = std::max(figures_.max_rss_growth_mib, now - one.warm_mib);
    } else if (Clock::now() - one.connected_at > kWarm) {
      one.warm_mib = now;
    }
  }
}

// Who it was. It is gone for a moment, mostly; or until the survivor has given up.
Side Driver::KillOne() {
  const Side side = random_() % 2 == 0 ? Side::kLeader : Side::kFollower;
  if (!life(side).child->Kill()) {
    std::fprintf(stderr, "efl_soak: a party had ended before it was killed\n");
    ++figures_.hangs;
  }
  ++figures_.kills;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ledger_.OnKilled(side);
    // What the survivor still has to take is of this life.
    Take(true);
    life(side).connected = life(side).watching = life(side).connecting = false;
  }
  std::this_thread::sleep_for(
      milliseconds(random_() % 12 == 0 ? kReconnectMs + Between(1000, 2000) : Between(0, 1500)));
  return side;
}

Figures Driver::Run() {
  for (auto& proxy : proxies_) proxy = std::make_unique<FaultProxy>(0);
  FaultSchedule::Mix mix;
  mix.longest_pause_ms = 150;
  mix.longest_ms = 200;
  mix.corrupt = 2;
  bool well = Start(Side::kLeader) && Start(Side::kFollower);
  proxies_[0]->Play(FaultSchedule(plan_.seed, mix));
  proxies_[1]->Play(FaultSchedule(plan_.seed + 1, mix));
  // Kills in the first half, one at least; in the second, which a late kill may move, the memory of
  // parties that live longer is looked at.
  const auto begin = Clock::now();
  const auto end = begin + seconds(plan_.seconds);
  const auto kills_until = begin + seconds(plan_.seconds) / 2;
  for (bool kills = true; well && kills;) {
    // What a kill has left behind ends before the next transfers begin.
    well = Connect() && Settle();
    if (!well) break;
    const auto now = Clock::now();
    const auto kill_at = now + milliseconds(Between(500, 3000));
    kills = kill_at < kills_until || figures_.kills == 0;
    Transfer(kills ? kill_at : std::max(end, now + kWarm + kCompare));
    if (kills) well = Start(KillOne());
  }
  for (auto& proxy : proxies_) proxy->StopPlaying();
  // One more of each name, both ways: what had come twice would be in its way.
  if (well && Connect() && Settle()) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (uint64_t i = 0; i < kNames; ++i) {
        Begin(Side::kLeader);
        Begin(Side::kFollower);
      }
    }
    Settle();
  }
  for (Life& one : lives_) {
    if (one.child != nullptr && !one.child->Quit(20'000)) {
      std::fprintf(stderr, "efl_soak: a party didn't end well\n");
      ++figures_.hangs;
    }
  }
  figures_.cuts = proxies_[0]->cuts() + proxies_[1]->cuts();
  std::fprintf(stderr, "efl_soak: faults to the leader: %s; to the follower: %s\n",
               proxies_[0]->Summary().c_str(), proxies_[1]->Summary().c_str());
  EndRenewal();
  if (!plan_.tls.empty()) {
    std::fprintf(stderr, "efl_soak: certificates renewed %d times, taken %d times\n", renewals_,
                 taken_);
    if (taken_ == 0) ++figures_.hangs;
  }
  figures_.Add(ledger_.figures());
  return figures_;
}

}  // namespace

void Figures::Add(const Figures& other) {
  transfers += other.transfers;
  failed += other.failed;
  cuts += other.cuts;
  kills += other.kills;
  lost += other.lost;
  duplicated += other.duplicated;
  corrupted += other.corrupted;
  hangs += other.hangs;
  max_rss_growth_mib = std::max(max_rss_growth_mib, other.max_rss_growth_mib);
  rss_compared |= other.rss_compared;
}

Figures Drive(const Plan& plan) { return Driver(plan).Run(); }

}  // namespace efl::soak
