// Connections made by hand, in limited time, and given up from outside.
#pragma once

#include <netdb.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace efl {

// What is left for all that is done, and of each wait in it.
class DialTime {
 public:
  // Readable, `stop` ends every wait.
  explicit DialTime(int stop) : stop_(stop) {}

  // Waits for an event of the socket; false when it doesn't come in time.
  bool Wait(int fd, short events) const;

 private:
  const int stop_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

class DialSocket {
 public:
  explicit DialSocket(int fd) : fd_(fd) {}
  DialSocket(DialSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DialSocket& operator=(DialSocket&&) = delete;
  ~DialSocket() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

// Where a party is said to be: by name, and what the name resolves to.
struct Place {
  std::string address;
  std::string host;
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found{nullptr, &freeaddrinfo};
};

Place Resolve(const std::string& address);

// The first address that takes the connection.
DialSocket Dial(const Place& place, const DialTime& time);

// What came first: a byte, the end (-1), or nothing in time (-2).
int FirstByte(const DialSocket& socket, const DialTime& time);

}  // namespace efl
