#include "faults/fault_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <memory>
#include <system_error>
#include <utility>

namespace efl::faults {
namespace {

constexpr int kEventsAtOnce = 64;
constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kIdleNs = 1000 * kNsPerMs;
// An ended connection whose sides don't hang up.
constexpr int64_t kLingerNs = 500 * kNsPerMs;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

int Listen(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const sockaddr_in address = Loopback(port);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener, 64) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            "the proxy can't listen on " + std::to_string(port));
  }
  return listener;
}

int PortOf(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void ResetAndClose(int fd) {
  const linger now = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(fd);
}

}  // namespace

struct FaultProxy::Side {
  Connection* connection = nullptr;
  int fd = -1;
  uint32_t watched = 0;
};

// Two sockets, two lanes between them.
struct FaultProxy::Connection {
  Connection(int near, int far, const Line& line, BlockStore* store, uint64_t seed)
      : there(near, far, line, store, seed), back(far, near, line, store, seed + 1) {
    sides[0] = {this, near, 0};
    sides[1] = {this, far, 0};
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    for (const Side& side : sides) {
      if (reset) {
        ResetAndClose(side.fd);
      } else {
        close(side.fd);
      }
    }
  }

  // What is read from a side, and what is written to it.
  Lane& Out(int side) { return side == 0 ? there : back; }
  Lane& In(int side) { return side == 0 ? back : there; }

  void Reset() { over = reset = true; }
  bool used() const { return there.passed() > 0 && back.passed() > 0; }

  Side sides[2];
  Lane there;
  Lane back;
  int64_t reset_at = 0;  // 0: not
  bool broken = false;   // a fault has ended it
  bool over = false;
  bool reset = false;
};

FaultProxy::FaultProxy(const Options& options)
    : target_port_(options.target_port),
      line_(options.line),
      seeds_(static_cast<std::minstd_rand::result_type>(options.seed)),
      listener_(Listen(options.listen_port)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wakeup_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      port_(PortOf(listener_)) {
  for (const int fd : {listener_, wakeup_}) {
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

FaultProxy::FaultProxy(int target_port)
    : FaultProxy([target_port] {
        Options options;
        options.target_port = target_port;
        return options;
      }()) {
  Start();
}

FaultProxy::~FaultProxy() {
  Cut();
  if (listener_ >= 0) close(listener_);
  close(epoll_);
  close(wakeup_);
}

void FaultProxy::Start() {
  thread_ = std::thread([this] { Run(); });
}

void FaultProxy::Run() {
  while (!over_) {
    epoll_event events[kEventsAtOnce];
    const int64_t wait = std::max<int64_t>(NextWakeup(NowNs()), 0);
    const timespec timeout = {wait / 1'000'000'000, wait % 1'000'000'000};
    const int count = epoll_pwait2(epoll_, events, kEventsAtOnce, &timeout, nullptr);
    const int64_t now = NowNs();
    bool called = false;  // by the listener, or by another thread
    for (int i = 0; i < count; ++i) {
      auto* side = static_cast<Side*>(events[i].data.ptr);
      called |= side == nullptr;
      if (side == nullptr || (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) continue;
      side->connection->Out(side == &side->connection->sides[0] ? 0 : 1).ReadSome(now);
    }
    if (called) DoPosted();
    if (over_) break;
    PlayWhatIsDue(now);
    if (called || held_ >= 0) Accept();
    for (auto at = connections_.begin(); at != connections_.end();) {
      Settle(at->get());
      if (!(*at)->over) {
        ++at;
        continue;
      }
      // Closing doesn't do it while a process that is being started has copies.
      for (Side& side : (*at)->sides) Watch(&side, 0);
      at = connections_.erase(at);
    }
  }
  connections_.clear();
  if (held_ >= 0) close(std::exchange(held_, -1));
  close(std::exchange(listener_, -1));
}

int64_t FaultProxy::NextWakeup(int64_t now) const {
  int64_t at = now + kIdleNs;
  if (schedule_ && !WaitsForUse()) at = std::min(at, next_fault_at_);
  if (held_ >= 0) at = std::min(at, held_until_);
  for (const auto& connection : connections_) {
    if (connection->reset_at > 0) at = std::min(at, connection->reset_at);
    for (const Lane* lane : {&connection->there, &connection->back}) {
      if (lane->due() >= 0 && !lane->blocked()) at = std::min(at, lane->due());
    }
  }
  return at - now;
}

void FaultProxy::Post(const std::function<void()>& act) {
  const auto done = std::make_shared<std::promise<void>>();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    posted_.push_back([act, done] {
      act();
      done->set_value();
    });
  }
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wakeup_, &one, sizeof(one));
  if (thread_.joinable()) done->get_future().wait();
}

void FaultProxy::DoPosted() {
  uint64_t count = 0;
  if (read(wakeup_, &count, sizeof(count)) < 0) return;
  std::vector<std::function<void()>> posted;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    posted.swap(posted_);
  }
  for (const auto& act : posted) act();
}

void FaultProxy::Do(const Fault& fault) {
  Post([this, fault] { Apply(fault); });
}

void FaultProxy::Retarget(int target_port) {
  target_port_ = target_port;
  Break();
}

void FaultProxy::Suffer(Fault::Kind kind) {
  Post([this, kind] {
    suffers_ = kind;
    Apply({kind, Fault::Direction::kBoth, 0, 0});
    if (kind != Fault::Kind::kSwallow) return;
    for (const auto& connection : connections_) connection->reset_at = 0;
  });
}

void FaultProxy::Heal() {
  Post([this] { suffers_.reset(); });
}

void FaultProxy::Play(const FaultSchedule& schedule) {
  Post([this, playing = schedule]() mutable {
    in_vain_ = 0;
    next_fault_at_ = NowNs() + playing.NextPauseMs() * kNsPerMs;
    schedule_.emplace(playing);
  });
}

void FaultProxy::StopPlaying() {
  Post([this] { schedule_.reset(); });
}

void FaultProxy::Cut() {
  if (!thread_.joinable()) return;
  Post([this] { over_ = true; });
  thread_.join();
}

std::string FaultProxy::Summary() const {
  std::string text;
  for (int i = 0; i < kKinds; ++i) {
    if (i > 0) text += ", ";
    text += FaultName(static_cast<Fault::Kind>(i));
    text += ' ';
    text += std::to_string(faults_[static_cast<size_t>(i)]);
  }
  return text;
}

void FaultProxy::Accept() {
  for (;;) {
    if (held_ >= 0 && NowNs() >= held_until_) LetHeldThrough();
    const int near = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (near < 0) return;
    // What was asked before somebody dialled is not for this connection.
    DoPosted();
    if (over_) {
      close(near);
      return;
    }
    if (suffers_) {
      Doom(near);
    } else if (NowNs() < refuse_until_) {
      ResetAndClose(near);
    } else if (hold_for_ms_ > 0 && held_ < 0) {
      held_ = near;
      held_until_ = NowNs() + std::exchange(hold_for_ms_, 0) * kNsPerMs;
    } else {
      Connect(near);
      LetHeldThrough();
    }
  }
}

void FaultProxy::LetHeldThrough() {
  if (held_ >= 0) Connect(std::exchange(held_, -1));
}

void FaultProxy::Doom(int near) {
  if (suffers_ == Fault::Kind::kFin) {
    close(near);
  } else if (suffers_ == Fault::Kind::kReset) {
    ResetAndClose(near);
  } else if (Connection* connection = Connect(near)) {
    connection->there.Swallow();
    connection->back.Swallow();
  }
}

FaultProxy::Connection* FaultProxy::Connect(int near) {
  const int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(target_port_);
  if (connect(far, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close(near);
    close(far);
    return nullptr;
  }
  fcntl(far, F_SETFL, fcntl(far, F_GETFL) | O_NONBLOCK);
  const int yes = 1;
  for (const int fd : {near, far}) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  connections_.push_back(std::make_unique<Connection>(near, far, line_, &store_, seeds_()));
  return connections_.back().get();
}

// Writes what is due, and watches what is to be waited for.
void FaultProxy::Settle(Connection* connection) {
  const int64_t now = NowNs();
  if (connection->reset_at > 0 && now >= connection->reset_at) connection->Reset();
  for (const int i : {0, 1}) {
    if (!connection->over && !connection->In(i).WriteSome(now)) connection->Reset();
  }
  const auto is_over = [](const Lane& lane) {
    return lane.finished() || (lane.ended() && lane.swallows());
  };
  if (is_over(connection->there) && is_over(connection->back)) connection->over = true;
  if (connection->over) return;
  for (const int i : {0, 1}) {
    uint32_t wanted = connection->Out(i).wants_read() ? uint32_t{EPOLLIN} : 0;
    if (connection->In(i).blocked()) wanted |= EPOLLOUT;
    Watch(&connection->sides[i], wanted);
  }
}

// A socket that nothing is wanted of is left out: its hang-up would be told again and again.
void FaultProxy::Watch(Side* side, uint32_t wanted) {
  if (side->watched == wanted) return;
  epoll_event event{};
  event.events = wanted;
  event.data.ptr = side;
  const int change = side->watched == 0 ? EPOLL_CTL_ADD
                     : wanted == 0      ? EPOLL_CTL_DEL
                                        : EPOLL_CTL_MOD;
  epoll_ctl(epoll_, change, side->fd, &event);
  side->watched = wanted;
}

void FaultProxy::PlayWhatIsDue(int64_t now) {
  if (!schedule_ || now < next_fault_at_ || WaitsForUse()) return;
  in_vain_ = AnyUseful() ? 0 : in_vain_ + 1;
  Apply(schedule_->NextFault());
  next_fault_at_ = now + schedule_->NextPauseMs() * kNsPerMs;
}

bool FaultProxy::AnyUseful() const {
  const uint64_t enough = schedule_->mix().useful_bytes;
  if (enough == 0) return true;
  return std::any_of(connections_.begin(), connections_.end(), [enough](const auto& connection) {
    return !connection->broken && connection->there.passed() + connection->back.passed() >= enough;
  });
}

bool FaultProxy::ResetAll() {
  bool cut = false;
  for (const auto& connection : connections_) {
    cut |= connection->used() && !std::exchange(connection->broken, true);
    connection->Reset();
  }
  return cut;
}

// Up to 50 ms more, half of it uneven, or 1 to 8 MiB/s.
Line FaultProxy::SlowLine(const Fault& fault) const {
  Line line = line_;
  if (fault.kind == Fault::Kind::kDelay) {
    line.delay_ns += static_cast<int64_t>(fault.random % 26) * kNsPerMs;
    line.jitter_ns = 25 * kNsPerMs;
  } else {
    line.bytes_per_s = uint64_t{1 << 20} << fault.random % 4;
  }
  return line;
}

void FaultProxy::Apply(const Fault& fault) {
  const int64_t now = NowNs();
  const int64_t until = now + fault.lasts_ms * kNsPerMs;
  bool cut = false;
  ++faults_[static_cast<size_t>(fault.kind)];
  if (fault.kind == Fault::Kind::kReset) {
    cut = ResetAll();
  } else if (fault.kind == Fault::Kind::kRefuse) {
    refuse_until_ = until;
    cut = ResetAll();
  } else if (fault.kind == Fault::Kind::kReorder) {
    hold_for_ms_ = fault.lasts_ms;
  } else {
    const bool there = fault.direction != Fault::Direction::kBack;
    const bool back = fault.direction != Fault::Direction::kThere;
    for (const auto& connection : connections_) {
      if (fault.kind == Fault::Kind::kStall) {
        if (there) connection->there.Stall(until);
        if (back) connection->back.Stall(until);
      } else if (fault.kind == Fault::Kind::kDelay || fault.kind == Fault::Kind::kThrottle) {
        if (there) connection->there.Slow(SlowLine(fault), until);
        if (back) connection->back.Slow(SlowLine(fault), until);
      } else if (fault.kind == Fault::Kind::kCorrupt) {
        if (there) connection->there.Corrupt(fault.random);
        if (back) connection->back.Corrupt(fault.random);
      } else {
        cut |= connection->used() && !std::exchange(connection->broken, true);
        if (fault.kind == Fault::Kind::kFin) {
          connection->there.End();
          connection->back.End();
          if (connection->reset_at == 0) connection->reset_at = now + kLingerNs;
        } else {
          if (there) connection->there.Swallow();
          if (back) connection->back.Swallow();
          connection->reset_at = until;
        }
      }
    }
  }
  if (cut) ++cuts_;
}

}  // namespace efl::faults
