// TLS by files: what is on, who is let in.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "grpc/certificate.h"

namespace efl {

// What a TLS server asks of its clients. kByPeerCerts: require where peer_certs_file is set,
// otherwise none.
enum class ClientAuth { kByPeerCerts, kRequire, kRequest, kNone };

enum class TlsVersion { k12, k13 };

// Where this party may do without TLS: between processes of one host, anywhere, nowhere.
enum class Plaintext { kLoopback, kAllow, kNever };

struct TlsOptions {
  std::string my_certs_file;
  std::string my_key_file;
  std::string peer_certs_file;
  std::string target_name_override;
  std::string peer_name;                  // comma-separated
  std::string allowed_fingerprints_file;  // empty: whoever peer_certs_file vouches for
  ClientAuth client_auth = ClientAuth::kByPeerCerts;
  TlsVersion min_version = TlsVersion::k12;
  Plaintext plaintext = Plaintext::kLoopback;

  bool operator==(const TlsOptions& other) const;
};

// The files of TlsOptions, read and checked.
struct TlsIdentity {
  std::string my_certs;  // PEM; empty: the server speaks plaintext
  std::string my_key;
  std::string peer_certs;  // PEM; empty: the client speaks plaintext
  std::string target_name_override;
  ClientAuth client_auth = ClientAuth::kNone;  // resolved, never kByPeerCerts
  TlsVersion min_version = TlsVersion::k12;
  std::vector<std::string> peer_names;  // one of which the peer's certificate carries; empty: any
  std::optional<std::set<std::string>> allowed;  // fingerprints; none: any

  bool server_on() const { return !my_certs.empty(); }
  bool client_on() const { return !peer_certs.empty(); }
  bool asks_clients() const { return client_auth != ClientAuth::kNone; }

  // UNAUTHENTICATED: a certificate that was verified is not let in here, or there is none.
  Status Admit(const PeerCertificatePtr& cert) const;
  bool operator==(const TlsIdentity& other) const;
  // The same of a client of this party's server.
  Status AdmitCaller(const PeerCertificatePtr& cert) const {
    return asks_clients() ? Admit(cert) : Status();
  }
};

// INVALID_ARGUMENT names the option, the file and what is wrong with it: one of a pair missing,
// unreadable, not PEM, expired or not valid yet, a key that doesn't belong to the certificate, a
// line that is no fingerprint.
Status LoadTls(const TlsOptions& options, TlsIdentity* identity);

// The part of it that says who is let in; it holds whatever is wrong with the rest.
Status LoadAllowed(const TlsOptions& options, TlsIdentity* identity);

// UNAUTHENTICATED: this party's own certificate has expired since it was read.
Status CheckOwnDates(const TlsIdentity& identity);

// Logs a warning where a server with this identity, which speaks TLS at `address`, takes calls of
// somebody without a certificate.
void WarnOfOpenDoor(const TlsIdentity& identity, const std::string& address);

// Whether `address` may be listened at or dialled, as `what` ("listen_address"), without TLS.
// INVALID_ARGUMENT: it may not. Where it may, a warning is logged, once a process.
Status CheckPlaintext(const TlsOptions& options, const char* what, const std::string& address);

}  // namespace efl
