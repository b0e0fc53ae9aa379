#include "grpc/probe.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace efl {
namespace {

constexpr std::chrono::milliseconds kWholeTime{3000};
constexpr std::chrono::milliseconds kStepTime{1000};
// The client preface of HTTP/2 and an empty SETTINGS frame: a server answers with its own SETTINGS.
constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
constexpr int kPrefaceSize = sizeof(kPreface) - 1;
constexpr unsigned char kAlertRecord = 0x15;
constexpr unsigned char kHandshakeRecord = 0x16;

using ContextPtr = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using SslPtr = std::unique_ptr<SSL, decltype(&SSL_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;

// What is left of the whole probe, and of each wait in it.
class Time {
 public:
  // Readable, `stop` ends every wait.
  explicit Time(int stop) : stop_(stop) {}

  // Waits for an event of the socket; false when it doesn't come in time.
  bool Wait(int fd, short events) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd wait[] = {{fd, events, 0}, {stop_, POLLIN, 0}};
    return poll(wait, 2, static_cast<int>(std::min(left, kStepTime).count())) > 0 &&
           wait[1].revents == 0;
  }

 private:
  const int stop_;
  const std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kWholeTime;
};

Status Wrong(std::string message) { return {Code::kUnauthenticated, std::move(message)}; }

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::pair<std::string, std::string> Split(const std::string& address) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return {host, address.substr(colon + 1)};
}

Socket DialOne(const addrinfo& at, const Time& time) {
  Socket socket(::socket(at.ai_family, at.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.ok()) return Socket(-1);
  if (connect(socket.fd(), at.ai_addr, at.ai_addrlen) != 0) {
    int error = 0;
    socklen_t size = sizeof(error);
    const bool connected = errno == EINPROGRESS && time.Wait(socket.fd(), POLLOUT) &&
                           getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
                           error == 0;
    if (!connected) return Socket(-1);
  }
  return socket;
}

// Where a party is said to be: by name, and what the name resolves to.
struct Place {
  std::string address;
  std::string host;
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found{nullptr, &freeaddrinfo};
};

Place Resolve(const std::string& address) {
  Place place;
  const auto [host, port] = Split(address);
  place.address = address;
  place.host = host;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) == 0) place.found.reset(found);
  return place;
}

Socket Dial(const Place& place, const Time& time) {
  for (const addrinfo* at = place.found.get(); at != nullptr; at = at->ai_next) {
    Socket socket = DialOne(*at, time);
    if (socket.ok()) return socket;
  }
  return Socket(-1);
}

// What came first: a byte, the end (-1), or nothing in time (-2).
int FirstByte(const Socket& socket, const Time& time) {
  if (!time.Wait(socket.fd(), POLLIN)) return -2;
  unsigned char byte = 0;
  return recv(socket.fd(), &byte, 1, 0) == 1 ? byte : -1;
}

void AddPem(SSL_CTX* context, const TlsIdentity& tls) {
  BioPtr roots(BIO_new_mem_buf(tls.peer_certs.data(), static_cast<int>(tls.peer_certs.size())),
               &BIO_free);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  while (X509* cert = PEM_read_bio_X509(roots.get(), nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(store, cert);
    X509_free(cert);
  }
  if (tls.my_certs.empty()) return;
  BioPtr certs(BIO_new_mem_buf(tls.my_certs.data(), static_cast<int>(tls.my_certs.size())),
               &BIO_free);
  for (bool first = true; X509* cert = PEM_read_bio_X509(certs.get(), nullptr, nullptr, nullptr);
       first = false) {
    if (first) {
      SSL_CTX_use_certificate(context, cert);
      X509_free(cert);
    } else {
      SSL_CTX_add_extra_chain_cert(context, cert);  // takes it over
    }
  }
  BioPtr key_bytes(BIO_new_mem_buf(tls.my_key.data(), static_cast<int>(tls.my_key.size())),
                   &BIO_free);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bytes.get(), nullptr, nullptr, nullptr);
  SSL_CTX_use_PrivateKey(context, key);
  EVP_PKEY_free(key);
}

// One TLS connection over a socket, stepped with a time limit.
class TlsDial {
 public:
  TlsDial(const Socket& socket, const TlsIdentity& tls, const std::string& host, const Time& time)
      : socket_(socket),
        time_(time),
        context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
        ssl_(nullptr, &SSL_free) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    AddPem(context_.get(), tls);
    ssl_.reset(SSL_new(context_.get()));
    static constexpr unsigned char kAlpn[] = {2, 'h', '2'};
    SSL_set_alpn_protos(ssl_.get(), kAlpn, sizeof(kAlpn));
    unsigned char ip[sizeof(in6_addr)];
    if (inet_pton(AF_INET, host.c_str(), ip) == 1 || inet_pton(AF_INET6, host.c_str(), ip) == 1) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str());
    } else {
      // What SSL_set_tlsext_host_name expands to, without its cast.
      SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(host.c_str()));
      SSL_set1_host(ssl_.get(), host.c_str());
    }
    SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_set_fd(ssl_.get(), socket.fd());
    ERR_clear_error();
  }
  ~TlsDial() { ERR_clear_error(); }

  bool Handshake() {
    return Step([this] { return SSL_connect(ssl_.get()); });
  }
  // The first byte of the server's answer to the preface.
  bool Exchange() {
    unsigned char byte = 0;
    return Step([this] { return SSL_write(ssl_.get(), kPreface, kPrefaceSize); }) &&
           Step([&] { return SSL_read(ssl_.get(), &byte, 1); });
  }

  bool timed_out() const { return timed_out_; }
  long verify_result() const { return SSL_get_verify_result(ssl_.get()); }
  // OpenSSL's reason for the last failure, 0 when it had none (the connection just ended).
  static int Reason() { return ERR_GET_REASON(ERR_peek_last_error()); }
  static std::string ReasonText() {
    const char* text = ERR_reason_error_string(ERR_peek_last_error());
    return text != nullptr ? text : "the connection was closed";
  }

 private:
  template <typename Do>
  bool Step(Do act) {
    for (;;) {
      const int result = act();
      if (result > 0) return true;
      const int error = SSL_get_error(ssl_.get(), result);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
      const short events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
      if (!time_.Wait(socket_.fd(), events)) {
        timed_out_ = true;
        return false;
      }
    }
  }

  const Socket& socket_;
  const Time& time_;
  ContextPtr context_;
  SslPtr ssl_;
  bool timed_out_ = false;
};

// Whether whatever listens there answers a ClientHello with a TLS record.
bool AnswersTls(const Place& place, const Time& time) {
  const Socket socket = Dial(place, time);
  if (!socket.ok()) return false;
  ContextPtr context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  SslPtr ssl(SSL_new(context.get()), &SSL_free);
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), in, out);  // takes both over
  SSL_connect(ssl.get());
  ERR_clear_error();
  char* hello = nullptr;
  const long size = BIO_get_mem_data(out, &hello);
  if (send(socket.fd(), hello, static_cast<size_t>(size), MSG_NOSIGNAL) != size) return false;
  const int first = FirstByte(socket, time);
  return first == kHandshakeRecord || first == kAlertRecord;
}

Status ProbePlain(const Place& place, const Time& time) {
  const Socket socket = Dial(place, time);
  if (!socket.ok()) return {};
  if (send(socket.fd(), kPreface, kPrefaceSize, MSG_NOSIGNAL) != kPrefaceSize) return {};
  const int first = FirstByte(socket, time);
  const bool tls = first == kAlertRecord || (first == -1 && AnswersTls(place, time));
  if (!tls) return {};
  return Wrong(absl::StrCat("the peer at ", place.address,
                            " speaks TLS and this party plaintext: set EFL_PEER_CERTS_FILENAME "
                            "(peer_certs_file), or turn TLS off at both"));
}

Status ExplainHandshake(const std::string& address, const std::string& name, const TlsDial& dial) {
  if (dial.timed_out()) return {};
  if (dial.verify_result() != X509_V_OK) {
    return Wrong(absl::StrCat(
        "the certificate of the peer at ", address, " is not accepted for '", name,
        "': ", X509_verify_cert_error_string(dial.verify_result()),
        "; look at EFL_PEER_CERTS_FILENAME (peer_certs_file) and EFL_SSL_TARGET_NAME_OVERRIDE "
        "(ssl_target_name_override)"));
  }
  switch (TlsDial::Reason()) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
      return Wrong(absl::StrCat(
          "the peer at ", address,
          " speaks plaintext and this party TLS: the peer has to set EFL_MY_CERTS_FILENAME and "
          "EFL_MY_KEY_FILENAME, or turn TLS off at both"));
    case 0:
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return {};  // it just hung up, as a load balancer without a party behind it does
    default:
      return Wrong(absl::StrCat("the TLS handshake with the peer at ", address,
                                " failed: ", TlsDial::ReasonText()));
  }
}

Status ProbeTls(const Place& place, const TlsIdentity& tls, const Time& time) {
  const Socket socket = Dial(place, time);
  if (!socket.ok()) return {};
  const std::string name = tls.target_name_override.empty() ? place.host : tls.target_name_override;
  TlsDial dial(socket, tls, name, time);
  if (!dial.Handshake()) return ExplainHandshake(place.address, name, dial);
  // In TLS 1.3 the server's verdict on our certificate comes after our handshake is done, and from a
  // gRPC server without an alert: it just hangs up.
  if (dial.Exchange() || dial.timed_out()) return {};
  return Wrong(absl::StrCat("the peer at ", place.address, " refuses this party's certificate (",
                            tls.my_certs.empty()
                                ? "none was sent: set EFL_MY_CERTS_FILENAME and EFL_MY_KEY_FILENAME"
                                : TlsDial::ReasonText(),
                            "); its EFL_PEER_CERTS_FILENAME and EFL_SSL_CLIENT_AUTH decide"));
}

}  // namespace

struct Prober::State {
  State(std::string where, TlsIdentity identity)
      : address(std::move(where)), tls(std::move(identity)), stop(eventfd(0, EFD_CLOEXEC)) {}
  ~State() { close(stop); }

  // Once it has begun, Stop waits for the End. False: too late.
  bool Begin() {
    std::lock_guard<std::mutex> lock(mutex);
    if (stopped) return false;
    ++under_way;
    return true;
  }
  void End() {
    std::lock_guard<std::mutex> lock(mutex);
    if (--under_way == 0) none_under_way.notify_all();
  }

  const std::string address;
  const TlsIdentity tls;
  const int stop;
  std::mutex mutex;
  std::condition_variable none_under_way;
  int under_way = 0;
  bool stopped = false;
};

Prober::Prober(std::string address, TlsIdentity tls)
    : state_(std::make_shared<State>(std::move(address), std::move(tls))) {}

Prober::~Prober() { Stop(); }

void Prober::Run(std::function<void(const Status&)> told) {
  std::thread([state = state_, told = std::move(told)] {
    // The system may take its time to resolve a name, and can't be hurried.
    const Place place = Resolve(state->address);
    if (!state->Begin()) return;
    const Time time(state->stop);
    told(state->tls.client_on() ? ProbeTls(place, state->tls, time) : ProbePlain(place, time));
    state->End();
  }).detach();
}

void Prober::Stop() {
  std::unique_lock<std::mutex> lock(state_->mutex);
  state_->stopped = true;
  eventfd_write(state_->stop, 1);
  state_->none_under_way.wait(lock, [this] { return state_->under_way == 0; });
}

}  // namespace efl
