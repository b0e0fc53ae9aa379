#include "socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "process.h"

namespace efl::bench {
namespace {

constexpr size_t kWrite = size_t{1} << 20;
constexpr int kDialTries = 100;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

[[noreturn]] void DieOfSystem(const std::string& what) { Die(what + ": " + std::strerror(errno)); }

[[noreturn]] void DieOfTls(const std::string& what) {
  char reason[256];
  ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
  Die(what + ": " + reason);
}

SSL_CTX* MakeContext(const std::string& dir, bool server) {
  const std::string mine = dir + (server ? "/leader" : "/follower");
  SSL_CTX* context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
  if (context == nullptr ||
      SSL_CTX_use_certificate_chain_file(context, (mine + ".crt").c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, (mine + ".key").c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_load_verify_locations(context, (dir + "/ca.crt").c_str(), nullptr) != 1) {
    DieOfTls("what is in " + dir + " can't be used");
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
  return context;
}

}  // namespace

int Listen(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const sockaddr_in address = Loopback(port);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener, 16) != 0) {
    DieOfSystem("can't listen on " + std::to_string(port));
  }
  return listener;
}

int Dial(int port) {
  const sockaddr_in address = Loopback(port);
  for (int i = 0; i < kDialTries; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
    close(fd);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  DieOfSystem("can't connect to " + std::to_string(port));
}

Socket::Socket(int fd, const std::string& tls, bool server) : fd_(fd) {
  if (fd < 0) DieOfSystem("no connection");
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  if (tls.empty()) return;
  SSL_CTX* context = MakeContext(tls, server);
  ssl_ = SSL_new(context);
  SSL_CTX_free(context);
  SSL_set_fd(ssl_, fd);
  if (!server) SSL_set1_host(ssl_, "localhost");
  if ((server ? SSL_accept(ssl_) : SSL_connect(ssl_)) != 1) DieOfTls("no TLS connection");
}

Socket::~Socket() {
  SSL_free(ssl_);
  close(fd_);
}

void Socket::Send(const void* data, size_t size) {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    const size_t part = std::min(size, kWrite);
    size_t sent = 0;
    if (ssl_ != nullptr) {
      if (SSL_write_ex(ssl_, at, part, &sent) != 1) DieOfTls("can't send");
    } else {
      const ssize_t result = send(fd_, at, part, MSG_NOSIGNAL);
      if (result < 0) DieOfSystem("can't send");
      sent = static_cast<size_t>(result);
    }
    Progress();
    at += sent;
    size -= sent;
  }
}

void Socket::Receive(void* data, size_t size) {
  auto* at = static_cast<char*>(data);
  while (size > 0) {
    size_t received = 0;
    if (ssl_ != nullptr) {
      if (SSL_read_ex(ssl_, at, size, &received) != 1) DieOfTls("can't receive");
    } else {
      const ssize_t result = recv(fd_, at, size, 0);
      if (result < 0) DieOfSystem("can't receive");
      if (result == 0) Die("the other side has closed");
      received = static_cast<size_t>(result);
    }
    Progress();
    at += received;
    size -= received;
  }
}

}  // namespace efl::bench
