// What the proxy does to plain TCP connections.
#include "faults/fault_proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "support/pair.h"

namespace efl::test {
namespace {

using faults::Fault;
using faults::FaultProxy;
using faults::FaultSchedule;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A TCP socket of a test, closed with it. Whatever blocks does so for kLimit at most.
class Tcp {
 public:
  explicit Tcp(int fd) : fd_(fd) {
    const timeval limit{kLimit.count(), 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  ~Tcp() { close(fd_); }
  Tcp(const Tcp&) = delete;
  Tcp& operator=(const Tcp&) = delete;

  void Send(const std::string& bytes) const {
    EXPECT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // So many bytes, or fewer where the connection ends.
  std::string Receive(size_t size) const {
    std::string bytes(size, '\0');
    const ssize_t got = recv(fd_, bytes.data(), size, MSG_WAITALL);
    bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return bytes;
  }
  // How it ends: 0, or the error.
  int End() const {
    char byte = 0;
    for (;;) {
      const ssize_t got = recv(fd_, &byte, 1, 0);
      if (got == 0) return 0;
      // A reset may come before the connecting call returns.
      if (got < 0) return errno == ENOTCONN ? ECONNRESET : errno;
    }
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

class FaultProxyTest : public testing::Test {
 protected:
  FaultProxyTest() : listener(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    auto* at = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener.fd(), at, size), 0);
    EXPECT_EQ(listen(listener.fd(), 8), 0);
    EXPECT_EQ(getsockname(listener.fd(), at, &size), 0);
    options.target_port = ntohs(address.sin_port);
  }
  void Start() {
    proxy = std::make_unique<FaultProxy>(options);
    proxy->Start();
  }
  std::unique_ptr<Tcp> Dial() {
    auto tcp = std::make_unique<Tcp>(socket(AF_INET, SOCK_STREAM, 0));
    const sockaddr_in address = Loopback(proxy->port());
    const int error =
        connect(tcp->fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    EXPECT_TRUE(error == 0 || errno == ECONNRESET) << errno;
    return tcp;
  }
  std::unique_ptr<Tcp> Accept() {
    return std::make_unique<Tcp>(accept(listener.fd(), nullptr, nullptr));
  }
  // A connection through the proxy that has carried something each way.
  void Open() {
    near = Dial();
    far = Accept();
    near->Send("ping");
    EXPECT_EQ(far->Receive(4), "ping");
    far->Send("pong");
    EXPECT_EQ(near->Receive(4), "pong");
  }
  void Do(Fault::Kind kind, int64_t lasts_ms = 0,
          Fault::Direction direction = Fault::Direction::kBoth) {
    proxy->Do({kind, direction, lasts_ms, 0});
  }

  Tcp listener;
  FaultProxy::Options options;
  std::unique_ptr<FaultProxy> proxy;
  std::unique_ptr<Tcp> near, far;
};

TEST_F(FaultProxyTest, ShouldPassOnBytesAndEnds) {
  Start();
  Open();
  const std::string much(5 << 20, 'x');
  std::thread sender([&] { near->Send(much); });
  EXPECT_EQ(far->Receive(much.size()), much);
  sender.join();
  shutdown(near->fd(), SHUT_WR);
  EXPECT_EQ(far->End(), 0);
  far->Send("late");
  far = nullptr;
  EXPECT_EQ(near->Receive(4), "late");
  EXPECT_EQ(near->End(), 0);
  EXPECT_EQ(proxy->cuts(), 0u);
}

TEST_F(FaultProxyTest, ShouldEndConnectionsAsItIsTold) {
  Start();
  Open();
  Do(Fault::Kind::kFin);
  EXPECT_EQ(near->End(), 0);
  EXPECT_EQ(far->End(), 0);
  Open();
  Do(Fault::Kind::kReset);
  EXPECT_EQ(near->End(), ECONNRESET);
  EXPECT_EQ(far->End(), ECONNRESET);
  EXPECT_EQ(proxy->cuts(), 2u);
}

// A process that is being started has a copy of each descriptor until it runs its program. What is
// closed here goes on there, and what happens to it is nobody's any more.
TEST_F(FaultProxyTest, ShouldForgetAConnectionOfWhichAnotherProcessHasACopy) {
  Start();
  Open();
  const pid_t copy = fork();
  ASSERT_GE(copy, 0);
  if (copy == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  Do(Fault::Kind::kReset);
  std::unique_ptr<Tcp> before = std::move(near);
  Open();
  before->Send("to nobody");
  for (int i = 0; i < 100 && !HasFailure(); ++i) {
    near->Send("ping");
    EXPECT_EQ(far->Receive(4), "ping");
  }
  EXPECT_EQ(kill(copy, SIGKILL), 0);
  EXPECT_EQ(waitpid(copy, nullptr, 0), copy);
}

TEST_F(FaultProxyTest, ShouldLetNothingThroughForAWhileAndThenAll) {
  Start();
  Open();
  const auto begin = Clock::now();
  Do(Fault::Kind::kStall, 200, Fault::Direction::kThere);
  far->Send("this way is free");
  EXPECT_EQ(near->Receive(16), "this way is free");
  near->Send("late");
  EXPECT_EQ(far->Receive(4), "late");
  EXPECT_GE(Clock::now() - begin, milliseconds(150));
}

TEST_F(FaultProxyTest, ShouldSwallowOneWayAndResetAfterAWhile) {
  Start();
  Open();
  Do(Fault::Kind::kSwallow, 2000, Fault::Direction::kThere);
  far->Send("this way is free");
  EXPECT_EQ(near->Receive(16), "this way is free");
  near->Send("gone");
  EXPECT_EQ(far->End(), ECONNRESET);
  EXPECT_EQ(proxy->cuts(), 1u);
}

TEST_F(FaultProxyTest, ShouldLeadNowhereUntilItHeals) {
  Start();
  Open();
  proxy->Suffer(Fault::Kind::kSwallow);
  const auto lost = Dial();
  lost->Send("gone");
  Accept();
  proxy->Heal();
  // Once a new connection is let through, it has healed.
  const auto limit = Clock::now() + kLimit;
  std::string seen;
  while (seen.empty() && Clock::now() < limit) {
    const auto tried = Dial();
    const auto taken = Accept();
    const timeval brief{0, 50'000};
    setsockopt(taken->fd(), SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof(brief));
    tried->Send("x");
    seen = taken->Receive(1);
  }
  EXPECT_EQ(seen, "x");
}

TEST_F(FaultProxyTest, ShouldTurnOneBit) {
  Start();
  Open();
  Do(Fault::Kind::kCorrupt, 0, Fault::Direction::kThere);
  far->Send("x");  // once it is through, the fault has been taken, or will be with the next
  EXPECT_EQ(near->Receive(1), "x");
  near->Send("aaaa");
  near->Send("aaaa");
  std::string seen = far->Receive(8);
  int turned = 0;
  for (const char byte : seen) turned += __builtin_popcount(static_cast<unsigned>(byte ^ 'a'));
  EXPECT_EQ(turned, 1) << seen;
}

TEST_F(FaultProxyTest, ShouldRefuseConnectionsForAWhile) {
  Start();
  Open();
  Do(Fault::Kind::kRefuse, 1000);
  EXPECT_EQ(near->End(), ECONNRESET);
  EXPECT_EQ(Dial()->End(), ECONNRESET);
  // Then they are let through.
  const auto limit = Clock::now() + kLimit;
  int error = ECONNRESET;
  while (error == ECONNRESET && Clock::now() < limit) {
    near = Dial();
    const timeval brief{0, 50'000};
    setsockopt(near->fd(), SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof(brief));
    error = near->End();
  }
  EXPECT_EQ(error, EAGAIN);
  Accept();
}

TEST_F(FaultProxyTest, ShouldLetALaterConnectionThroughFirst) {
  Start();
  Open();
  Do(Fault::Kind::kReorder, 30'000);
  far->Send("x");
  EXPECT_EQ(near->Receive(1), "x");
  const auto earlier = Dial();
  earlier->Send("1");
  const auto later = Dial();
  later->Send("2");
  EXPECT_EQ(Accept()->Receive(1), "2");
  EXPECT_EQ(Accept()->Receive(1), "1");
}

TEST_F(FaultProxyTest, ShouldDelayAndThrottle) {
  options.line.delay_ns = 50'000'000;
  options.line.jitter_ns = 1'000'000;
  options.line.bytes_per_s = 1'000'000;
  Start();
  const auto begin = Clock::now();
  Open();
  EXPECT_GE(Clock::now() - begin, milliseconds(100));
  const auto sent = Clock::now();
  const std::string much(200'000, 'x');
  std::thread sender([&] { near->Send(much); });
  EXPECT_EQ(far->Receive(much.size()), much);
  sender.join();
  EXPECT_GE(Clock::now() - sent, milliseconds(200));
}

TEST_F(FaultProxyTest, ShouldThrottleForAWhile) {
  Start();
  Open();
  // 1 MiB/s, one way.
  proxy->Do({Fault::Kind::kThrottle, Fault::Direction::kThere, 60'000, 0});
  const auto sent = Clock::now();
  const std::string much(300'000, 'x');
  std::thread sender([&] { near->Send(much); });
  EXPECT_EQ(far->Receive(much.size()), much);
  sender.join();
  EXPECT_GE(Clock::now() - sent, milliseconds(250));
  proxy->Do({Fault::Kind::kThrottle, Fault::Direction::kThere, 0, 0});
  near->Send("now");
  EXPECT_EQ(far->Receive(3), "now");
}

TEST_F(FaultProxyTest, ShouldDelayForAWhile) {
  Start();
  Open();
  proxy->Do({Fault::Kind::kDelay, Fault::Direction::kBack, 60'000, 25});
  const auto sent = Clock::now();
  far->Send("late");
  EXPECT_EQ(near->Receive(4), "late");
  EXPECT_GE(Clock::now() - sent, milliseconds(25));
}

TEST_F(FaultProxyTest, ShouldForwardToAnotherPortAndListenNoMore) {
  const int first = options.target_port;
  options.target_port = FreePort();
  Start();
  EXPECT_NE(Dial()->End(), EAGAIN);
  proxy->Retarget(first);
  Open();
  proxy->Cut();
  EXPECT_NE(near->End(), EAGAIN);
  const Tcp late(socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in address = Loopback(proxy->port());
  EXPECT_EQ(connect(late.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), -1);
}

TEST(FaultScheduleTest, ShouldSayTheSameForTheSameSeed) {
  const FaultSchedule::Mix mix;
  FaultSchedule one(7, mix), same(7, mix), other(8, mix);
  int different = 0;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(one.NextPauseMs(), same.NextPauseMs());
    other.NextPauseMs();
    const Fault fault = one.NextFault();
    const Fault again = same.NextFault();
    EXPECT_EQ(fault.kind, again.kind);
    EXPECT_EQ(fault.direction, again.direction);
    EXPECT_EQ(fault.lasts_ms, again.lasts_ms);
    EXPECT_EQ(fault.random, again.random);
    different += fault.random != other.NextFault().random ? 1 : 0;
  }
  EXPECT_GT(different, 990);
}

}  // namespace
}  // namespace efl::test
