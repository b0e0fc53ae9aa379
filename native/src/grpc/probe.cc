#include "grpc/probe.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpc/dial.h"

namespace efl {
namespace {

// The client preface of HTTP/2 and an empty SETTINGS frame: a server answers with its own SETTINGS.
constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
constexpr int kPrefaceSize = sizeof(kPreface) - 1;
constexpr unsigned char kAlertRecord = 0x15;
constexpr unsigned char kHandshakeRecord = 0x16;

using ContextPtr = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using SslPtr = std::unique_ptr<SSL, decltype(&SSL_free)>;

Status Wrong(std::string message) { return {Code::kUnauthenticated, std::move(message)}; }

void AddPem(SSL_CTX* context, const TlsIdentity& tls) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  for (const CertPtr& cert : ReadCertificates(tls.peer_certs)) {
    X509_STORE_add_cert(store, cert.get());
  }
  if (tls.my_certs.empty()) return;
  std::vector<CertPtr> mine = ReadCertificates(tls.my_certs);
  for (size_t i = 0; i < mine.size(); ++i) {
    if (i == 0) {
      SSL_CTX_use_certificate(context, mine[i].get());
    } else {
      SSL_CTX_add_extra_chain_cert(context, mine[i].release());  // takes it over
    }
  }
  const BioPtr in = OpenPem(tls.my_key);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr);
  SSL_CTX_use_PrivateKey(context, key);
  EVP_PKEY_free(key);
}

// One TLS connection over a socket, stepped with a time limit.
class TlsDial {
 public:
  TlsDial(const DialSocket& socket, const TlsIdentity& tls, const std::string& host,
          const DialTime& time)
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

  // The server's.
  PeerCertificatePtr certificate() const {
    return DescribeCertificate(SSL_get0_peer_certificate(ssl_.get()));
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

  const DialSocket& socket_;
  const DialTime& time_;
  ContextPtr context_;
  SslPtr ssl_;
  bool timed_out_ = false;
};

// Whether whatever listens there answers a ClientHello with a TLS record.
bool AnswersTls(const Place& place, const DialTime& time) {
  const DialSocket socket = Dial(place, time);
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

Status ProbePlain(const Place& place, const DialTime& time) {
  const DialSocket socket = Dial(place, time);
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

Status ProbeTls(const Place& place, const TlsIdentity& tls, const DialTime& time) {
  const DialSocket socket = Dial(place, time);
  if (!socket.ok()) return {};
  const std::string name = tls.target_name_override.empty() ? place.host : tls.target_name_override;
  if (Status expired = CheckOwnDates(tls); !expired.ok()) return expired;
  TlsDial dial(socket, tls, name, time);
  if (!dial.Handshake()) return ExplainHandshake(place.address, name, dial);
  if (Status refused = tls.Admit(dial.certificate()); !refused.ok()) return refused;
  // In TLS 1.3 the server's verdict on our certificate comes after our handshake is done, and from
  // a gRPC server without an alert: it just hangs up.
  if (dial.Exchange() || dial.timed_out()) return {};
  return Wrong(absl::StrCat("the peer at ", place.address, " refuses this party's certificate (",
                            tls.my_certs.empty()
                                ? "none was sent: set EFL_MY_CERTS_FILENAME and EFL_MY_KEY_FILENAME"
                                : TlsDial::ReasonText(),
                            "); its EFL_PEER_CERTS_FILENAME and EFL_SSL_CLIENT_AUTH decide"));
}

}  // namespace

struct Prober::State {
  State(std::string where, TlsFilesPtr files)
      : address(std::move(where)), tls(std::move(files)), stop(eventfd(0, EFD_CLOEXEC)) {}
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
  const TlsFilesPtr tls;
  const int stop;
  std::mutex mutex;
  std::condition_variable none_under_way;
  int under_way = 0;
  bool stopped = false;
};

Prober::Prober(std::string address, TlsFilesPtr tls)
    : state_(std::make_shared<State>(std::move(address), std::move(tls))) {}

Prober::~Prober() { Stop(); }

void Prober::Run(std::function<void(const Status&)> told) {
  std::thread([state = state_, told = std::move(told)] {
    // The system may take its time to resolve a name, and can't be hurried.
    const Place place = Resolve(state->address);
    if (!state->Begin()) return;
    const DialTime time(state->stop);
    const TlsFiles::Identity tls = state->tls->now();
    told(tls->client_on() ? ProbeTls(place, *tls, time) : ProbePlain(place, time));
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
