#include "support/tcp_proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace efl::test {
namespace {

constexpr int kLookEveryMs = 20;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

}  // namespace

TcpProxy::TcpProxy(int target_port) : target_port_(target_port) {
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* at = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(listener_, at, size), 0);
  EXPECT_EQ(listen(listener_, 16), 0);
  EXPECT_EQ(getsockname(listener_, at, &size), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

TcpProxy::~TcpProxy() { Cut(); }

void TcpProxy::Cut() {
  cut_ = true;
  if (thread_.joinable()) thread_.join();
}

void TcpProxy::Accept() {
  const int in = accept(listener_, nullptr, nullptr);
  const int out = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = Loopback(target_port_);
  if (in >= 0 && connect(out, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    connections_.emplace_back(in, out);
    return;
  }
  close(in);
  close(out);
}

bool TcpProxy::Forward(int from, int to) {
  char buffer[65536];
  const ssize_t size = recv(from, buffer, sizeof(buffer), 0);
  return size > 0 && send(to, buffer, static_cast<size_t>(size), MSG_NOSIGNAL) == size;
}

void TcpProxy::Retarget(int target_port) {
  target_port_ = target_port;
  broken_ = true;
}

void TcpProxy::CloseAll() {
  for (const auto& [in, out] : connections_) {
    close(in);
    close(out);
  }
  connections_.clear();
}

void TcpProxy::Run() {
  while (!cut_) {
    if (broken_.exchange(false)) CloseAll();
    std::vector<pollfd> waits{{listener_, POLLIN, 0}};
    for (const auto& [in, out] : connections_) {
      waits.push_back({in, POLLIN, 0});
      waits.push_back({out, POLLIN, 0});
    }
    if (poll(waits.data(), waits.size(), kLookEveryMs) <= 0) continue;
    for (size_t i = connections_.size(); i-- > 0;) {
      const auto [in, out] = connections_[i];
      const bool up = waits[1 + 2 * i].revents == 0 || Forward(in, out);
      const bool down = waits[2 + 2 * i].revents == 0 || Forward(out, in);
      if (up && down) continue;
      close(in);
      close(out);
      connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (waits[0].revents != 0) Accept();
  }
  close(listener_);
  CloseAll();
}

}  // namespace efl::test
