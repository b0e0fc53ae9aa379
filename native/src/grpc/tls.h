// TLS by files: what is on, and gRPC's credentials for it.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"

namespace efl {

// What a TLS server asks of its clients. kByPeerCerts: require where peer_certs_file is set,
// otherwise none.
enum class ClientAuth { kByPeerCerts, kRequire, kRequest, kNone };

struct TlsOptions {
  std::string my_certs_file;
  std::string my_key_file;
  std::string peer_certs_file;
  std::string target_name_override;
  ClientAuth client_auth = ClientAuth::kByPeerCerts;
};

// The files of TlsOptions, read and checked.
struct TlsIdentity {
  std::string my_certs;  // PEM; empty: the server speaks plaintext
  std::string my_key;
  std::string peer_certs;  // PEM; empty: the client speaks plaintext
  std::string target_name_override;
  ClientAuth client_auth = ClientAuth::kNone;  // resolved, never kByPeerCerts

  bool server_on() const { return !my_certs.empty(); }
  bool client_on() const { return !peer_certs.empty(); }

  std::shared_ptr<grpc::ServerCredentials> ServerCredentials() const;
  std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials() const;
};

// INVALID_ARGUMENT names the option, the file and what is wrong with it: one of a pair missing,
// unreadable, not PEM, expired or not valid yet, a key that doesn't belong to the certificate.
Status LoadTls(const TlsOptions& options, TlsIdentity* identity);

}  // namespace efl
