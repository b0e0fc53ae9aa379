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
  // Breaks every connection and forwards new ones: what a fault of the network looks like.
  void Break() { broken_ = true; }
  // The same, to another port from now on: what a restarted process looks like.
  void Retarget(int target_port);

 private:
  void Run();
  void CloseAll();
  void Accept();
  // False when either end has closed.
  static bool Forward(int from, int to);

  std::atomic<int> target_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> cut_{false};
  std::atomic<bool> broken_{false};
  std::vector<std::pair<int, int>> connections_;  // of the thread alone
  std::thread thread_;
};

}  // namespace efl::test
