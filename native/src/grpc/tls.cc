#include "grpc/tls.h"

#include <arpa/inet.h>

#include <algorithm>
#include <mutex>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/log.h"
#include "grpc/address.h"

namespace efl {
namespace {

bool IsLoopback(const std::string& address) {
  const std::string host = SplitAddress(address).host;
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return absl::EqualsIgnoreCase(host, "localhost");
}

}  // namespace

bool TlsOptions::operator==(const TlsOptions& other) const {
  const auto all = [](const TlsOptions& o) {
    return std::tie(o.my_certs_file, o.my_key_file, o.peer_certs_file, o.target_name_override,
                    o.peer_name, o.allowed_fingerprints_file, o.client_auth, o.min_version,
                    o.plaintext);
  };
  return all(*this) == all(other);
}

bool TlsIdentity::operator==(const TlsIdentity& other) const {
  const auto all = [](const TlsIdentity& i) {
    return std::tie(i.my_certs, i.my_key, i.peer_certs, i.target_name_override, i.client_auth,
                    i.min_version, i.peer_names, i.allowed);
  };
  return all(*this) == all(other);
}

Status TlsIdentity::Admit(const PeerCertificatePtr& cert) const {
  const auto refuse = [](std::string why) {
    return Status(Code::kUnauthenticated, std::move(why));
  };
  if (peer_names.empty() && !allowed.has_value()) return {};
  // In words that are right at both ends.
  if (cert == nullptr) {
    return refuse(
        "a certificate is expected here (ssl_peer_name, ssl_allowed_fingerprints_file), and none "
        "was presented: EFL_MY_CERTS_FILENAME and EFL_MY_KEY_FILENAME of the party without");
  }
  if (allowed.has_value() && allowed->count(cert->fingerprint) == 0) {
    return refuse(absl::StrCat("the certificate ", cert->Text(),
                               " is not on the list of allowed fingerprints of the party that "
                               "verifies it (EFL_SSL_ALLOWED_FINGERPRINTS_FILENAME)"));
  }
  if (peer_names.empty() ||
      std::any_of(peer_names.begin(), peer_names.end(),
                  [&](const std::string& name) { return cert->Carries(name); })) {
    return {};
  }
  return refuse(absl::StrCat("the certificate ", cert->Text(), " does not carry the name '",
                             absl::StrJoin(peer_names, "' or '"),
                             "', which the party that verifies it expects (EFL_SSL_PEER_NAME)"));
}

void WarnOfOpenDoor(const TlsIdentity& identity, const std::string& address) {
  const bool rules = !identity.peer_names.empty() || identity.allowed.has_value();
  if (identity.client_auth == ClientAuth::kNone) {
    Log(LogLevel::kWarning,
        absl::StrCat("listen_address ", address,
                     ": callers are asked for no certificate (EFL_SSL_CLIENT_AUTH, "
                     "EFL_PEER_CERTS_FILENAME): whoever reaches it may speak for the peer"));
  } else if (identity.client_auth == ClientAuth::kRequest && !rules) {
    Log(LogLevel::kWarning,
        absl::StrCat(
            "listen_address ", address,
            ": EFL_SSL_CLIENT_AUTH=request without EFL_SSL_PEER_NAME or "
            "EFL_SSL_ALLOWED_FINGERPRINTS_FILENAME: whoever reaches it may speak for a peer "
            "that has told no party_id"));
  }
}

Status CheckPlaintext(const TlsOptions& options, const char* what, const std::string& address) {
  const bool loopback = IsLoopback(address);
  if (options.plaintext == Plaintext::kNever ||
      (options.plaintext == Plaintext::kLoopback && !loopback)) {
    return {
        Code::kInvalidArgument,
        absl::StrCat(
            what, "='", address,
            "' without TLS: whoever is on the way could read and change it all. ",
            std::string(what) == "listen_address"
                ? "Set EFL_MY_CERTS_FILENAME and EFL_MY_KEY_FILENAME (my_certs_file, my_key_file)"
                : "Set EFL_PEER_CERTS_FILENAME (peer_certs_file)",
            loopback ? "" : ", or, where the network is trusted or ends TLS itself,",
            loopback ? "; EFL_PLAINTEXT=never (plaintext) rules it out"
                     : " EFL_PLAINTEXT=allow (plaintext=allow)")};
  }
  static std::once_flag warned_of_loopback, warned;
  std::call_once(loopback ? warned_of_loopback : warned, [&] {
    Log(LogLevel::kWarning,
        absl::StrCat(what, " ", address, ": plaintext, ",
                     loopback ? "which other users of this host with the right can read"
                              : "which whoever is on the way can read and change",
                     "; EFL_MY_CERTS_FILENAME and its like turn TLS on"));
  });
  return {};
}

}  // namespace efl
