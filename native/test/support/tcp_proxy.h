// Forwards the bytes of TCP connections on loopback until it is told to cut them.
#pragma once

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

namespace efl::test {

class TcpProxy {
 public:
  // Listens at a free port and forwards to this one.
  explicit TcpProxy(int target_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  int port() const { return port_; }
  // Breaks every connection and accepts no more: what a killed process looks like.
  void Cut();

 private:
  void Run();
  void Accept();
  // False when either end has closed.
  static bool Forward(int from, int to);

  const int target_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> cut_{false};
  std::vector<std::pair<int, int>> connections_;  // of the thread alone
  std::thread thread_;
};

}  // namespace efl::test
