#include "grpc/dial.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "grpc/address.h"

namespace efl {
namespace {

constexpr std::chrono::milliseconds kWholeTime{3000};
constexpr std::chrono::milliseconds kStepTime{1000};

DialSocket DialOne(const addrinfo& at, const DialTime& time) {
  DialSocket socket(::socket(at.ai_family, at.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.ok()) return DialSocket(-1);
  if (connect(socket.fd(), at.ai_addr, at.ai_addrlen) != 0) {
    int error = 0;
    socklen_t size = sizeof(error);
    const bool connected = errno == EINPROGRESS && time.Wait(socket.fd(), POLLOUT) &&
                           getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
                           error == 0;
    if (!connected) return DialSocket(-1);
  }
  return socket;
}

}  // namespace

bool DialTime::Wait(int fd, short events) const {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      begin_ + kWholeTime - std::chrono::steady_clock::now());
  if (left.count() <= 0) return false;
  pollfd wait[] = {{fd, events, 0}, {stop_, POLLIN, 0}};
  return poll(wait, 2, static_cast<int>(std::min(left, kStepTime).count())) > 0 &&
         wait[1].revents == 0;
}

Place Resolve(const std::string& address) {
  Place place;
  const auto [host, port] = SplitAddress(address);
  place.address = address;
  place.host = host;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) == 0) place.found.reset(found);
  return place;
}

DialSocket Dial(const Place& place, const DialTime& time) {
  for (const addrinfo* at = place.found.get(); at != nullptr; at = at->ai_next) {
    DialSocket socket = DialOne(*at, time);
    if (socket.ok()) return socket;
  }
  return DialSocket(-1);
}

int FirstByte(const DialSocket& socket, const DialTime& time) {
  if (!time.Wait(socket.fd(), POLLIN)) return -2;
  unsigned char byte = 0;
  return recv(socket.fd(), &byte, 1, 0) == 1 ? byte : -1;
}

}  // namespace efl
