#include "proxy.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <list>
#include <memory>

#include "lane.h"
#include "process.h"
#include "socket.h"

namespace efl::bench {
namespace {

constexpr int kEventsAtOnce = 64;
constexpr int64_t kIdleNs = 1'000'000'000;

struct Connection;

struct Side {
  Connection* connection = nullptr;
  int fd = -1;
  uint32_t watched = 0;
};

// Two sockets, two lanes between them.
struct Connection {
  Connection(int near, int far, int64_t delay_ns, size_t capacity, BlockStore* store)
      : there(near, far, delay_ns, capacity, store), back(far, near, delay_ns, capacity, store) {
    sides[0] = {this, near, 0};
    sides[1] = {this, far, 0};
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    for (const Side& side : sides) close(side.fd);
  }

  // What is read from a side, and what is written to it.
  Lane& Out(int side) { return side == 0 ? there : back; }
  Lane& In(int side) { return side == 0 ? back : there; }

  void Reset() {
    const linger now = {1, 0};
    for (const Side& side : sides) setsockopt(side.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    over = true;
  }

  Side sides[2];
  Lane there;
  Lane back;
  bool over = false;
};

class Proxy {
 public:
  explicit Proxy(const Args& args)
      : to_(args.to),
        delay_ns_(static_cast<int64_t>(args.delay_ms * 1e6)),
        capacity_(args.queue_mib << 20),
        listener_(Listen(args.listen)),
        epoll_(epoll_create1(0)) {
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
  }

  [[noreturn]] void Run() {
    for (;;) {
      epoll_event events[kEventsAtOnce];
      const int count = Wait(events);
      const int64_t now = NowNs();
      for (int i = 0; i < count; ++i) {
        auto* side = static_cast<Side*>(events[i].data.ptr);
        if (side == nullptr) {
          Accept();
        } else if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
          Read(side, now);
        }
      }
      for (auto at = connections_.begin(); at != connections_.end();) {
        Settle(at->get());
        at = (*at)->over ? connections_.erase(at) : std::next(at);
      }
    }
  }

 private:
  int Wait(epoll_event* events) {
    int64_t wait = kIdleNs;
    const int64_t now = NowNs();
    for (const auto& connection : connections_) {
      for (const Lane* lane : {&connection->there, &connection->back}) {
        if (lane->due() >= 0 && !lane->blocked()) wait = std::min(wait, lane->due() - now);
      }
    }
    wait = std::max<int64_t>(wait, 0);
    const timespec timeout = {wait / 1'000'000'000, wait % 1'000'000'000};
    return epoll_pwait2(epoll_, events, kEventsAtOnce, &timeout, nullptr);
  }

  void Accept() {
    const int near = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (near < 0) return;
    const int far = Dial(to_);
    fcntl(far, F_SETFL, fcntl(far, F_GETFL) | O_NONBLOCK);
    const int yes = 1;
    for (const int fd : {near, far}) {
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    }
    connections_.push_back(std::make_unique<Connection>(near, far, delay_ns_, capacity_, &store_));
  }

  static void Read(Side* side, int64_t now) {
    Connection* connection = side->connection;
    const int index = side == &connection->sides[0] ? 0 : 1;
    connection->Out(index).ReadSome(now);
  }

  // Writes what is due, and watches what is to be waited for.
  void Settle(Connection* connection) {
    const int64_t now = NowNs();
    for (const int i : {0, 1}) {
      if (!connection->over && !connection->In(i).WriteSome(now)) connection->Reset();
    }
    if (connection->there.finished() && connection->back.finished()) connection->over = true;
    if (connection->over) return;
    for (const int i : {0, 1}) {
      uint32_t wanted = connection->Out(i).wants_read() ? uint32_t{EPOLLIN} : 0;
      if (connection->In(i).blocked()) wanted |= EPOLLOUT;
      Watch(&connection->sides[i], wanted);
    }
  }

  // A socket that nothing is wanted of is left out: its hang-up would be told again and again.
  void Watch(Side* side, uint32_t wanted) {
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

  const int to_;
  const int64_t delay_ns_;
  const size_t capacity_;
  const int listener_;
  const int epoll_;
  BlockStore store_;
  std::list<std::unique_ptr<Connection>> connections_;
};

}  // namespace

void RunProxy(const Args& args) {
  Proxy proxy(args);
  PrintReady();
  proxy.Run();
}

}  // namespace efl::bench
