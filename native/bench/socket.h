// A blocking TCP connection over localhost, with or without OpenSSL on it. Failures end the
// process.
#pragma once

#include <cstddef>
#include <string>

typedef struct ssl_st SSL;

namespace efl::bench {

// Returns the listening socket.
int Listen(int port);
// Tries again for a few seconds while nobody listens.
int Dial(int port);

class Socket {
 public:
  // tls: as --tls; the server is the one that accepted.
  Socket(int fd, const std::string& tls, bool server);
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  void Send(const void* data, size_t size);
  void Receive(void* data, size_t size);

 private:
  int fd_;
  SSL* ssl_ = nullptr;
};

}  // namespace efl::bench
