#include "grpc/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace efl {
namespace {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using CertPtr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

// A PEM file and how the user knows it: "EFL_MY_CERTS_FILENAME (my_certs_file) '/etc/…'".
struct File {
  std::string said;
  std::string content;
};

Status Invalid(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Status Read(const char* variable, const char* key, const std::string& path, File* file) {
  file->said = absl::StrCat(variable, " (", key, ") '", path, "'");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  if (in) content << in.rdbuf();
  if (!in || !content) {
    return Invalid(absl::StrCat(file->said, " cannot be read: ",
                                errno != 0 ? std::strerror(errno) : "not a readable file"));
  }
  file->content = content.str();
  return {};
}

BioPtr Open(const std::string& content) {
  return {BIO_new_mem_buf(content.data(), static_cast<int>(content.size())), &BIO_free};
}

std::string TimeText(const ASN1_TIME* time) {
  BioPtr out(BIO_new(BIO_s_mem()), &BIO_free);
  ASN1_TIME_print(out.get(), time);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<size_t>(size)};
}

// The certificates of a PEM file, in its order; at least one.
Status ParseCerts(const File& file, std::vector<CertPtr>* certs) {
  BioPtr in = Open(file.content);
  while (X509* cert = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    certs->emplace_back(cert, &X509_free);
  }
  ERR_clear_error();  // the end of the file counts as an error
  if (certs->empty()) return Invalid(absl::StrCat(file.said, " holds no PEM certificate"));
  return {};
}

Status CheckDates(const File& file, const X509* cert) {
  const ASN1_TIME* until = X509_get0_notAfter(cert);
  const ASN1_TIME* since = X509_get0_notBefore(cert);
  if (X509_cmp_current_time(until) < 0) {
    return Invalid(absl::StrCat(file.said, ": the certificate expired on ", TimeText(until)));
  }
  if (X509_cmp_current_time(since) > 0) {
    return Invalid(
        absl::StrCat(file.said, ": the certificate is not valid before ", TimeText(since)));
  }
  return {};
}

// The first certificate is the party's own: it has to be valid now and fit the key.
Status CheckMine(const File& certs_file, const File& key_file) {
  std::vector<CertPtr> certs;
  if (Status status = ParseCerts(certs_file, &certs); !status.ok()) return status;
  if (Status status = CheckDates(certs_file, certs[0].get()); !status.ok()) return status;
  BioPtr in = Open(key_file.content);
  // No passphrase: a prompt would stop the process.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr), &EVP_PKEY_free);
  ERR_clear_error();
  if (key == nullptr) {
    return Invalid(absl::StrCat(key_file.said, " holds no PEM private key without a passphrase"));
  }
  const bool fits = X509_check_private_key(certs[0].get(), key.get()) == 1;
  ERR_clear_error();
  if (!fits) {
    return Invalid(
        absl::StrCat(key_file.said, " is not the key of the certificate in ", certs_file.said));
  }
  return {};
}

// Roots, or the peer's own certificate. Some may have expired, as in any bundle, but not all.
Status CheckPeers(const File& file) {
  std::vector<CertPtr> certs;
  if (Status status = ParseCerts(file, &certs); !status.ok()) return status;
  Status expired;
  for (const CertPtr& cert : certs) {
    Status status = CheckDates(file, cert.get());
    if (status.ok()) return status;
    expired = status;
  }
  return expired;
}

Status LoadMine(const TlsOptions& options, TlsIdentity* identity) {
  const bool certs = !options.my_certs_file.empty();
  const bool key = !options.my_key_file.empty();
  if (!certs && !key) return {};
  if (certs != key) {
    return Invalid(absl::StrCat(
        certs ? "EFL_MY_CERTS_FILENAME (my_certs_file)" : "EFL_MY_KEY_FILENAME (my_key_file)",
        " is set, but ",
        certs ? "EFL_MY_KEY_FILENAME (my_key_file)" : "EFL_MY_CERTS_FILENAME (my_certs_file)",
        " is not: set both for TLS, or none for plaintext"));
  }
  File certs_file, key_file;
  Status status =
      Read("EFL_MY_CERTS_FILENAME", "my_certs_file", options.my_certs_file, &certs_file);
  if (status.ok()) {
    status = Read("EFL_MY_KEY_FILENAME", "my_key_file", options.my_key_file, &key_file);
  }
  if (status.ok()) status = CheckMine(certs_file, key_file);
  identity->my_certs = std::move(certs_file.content);
  identity->my_key = std::move(key_file.content);
  return status;
}

Status ResolveClientAuth(const TlsOptions& options, TlsIdentity* identity) {
  identity->client_auth = options.client_auth;
  if (options.client_auth == ClientAuth::kByPeerCerts) {
    identity->client_auth = identity->client_on() ? ClientAuth::kRequire : ClientAuth::kNone;
  }
  const bool asks = identity->client_auth != ClientAuth::kNone;
  if (asks && (!identity->client_on() || !identity->server_on())) {
    return Invalid(
        "EFL_SSL_CLIENT_AUTH (ssl_client_auth) asks for client certificates; that takes "
        "EFL_MY_CERTS_FILENAME and EFL_MY_KEY_FILENAME, so that the server speaks TLS, and "
        "EFL_PEER_CERTS_FILENAME to verify them with");
  }
  return {};
}

grpc_ssl_client_certificate_request_type RequestType(ClientAuth auth) {
  switch (auth) {
    case ClientAuth::kRequire:
      return GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
    case ClientAuth::kRequest:
      return GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
    default:
      return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
  }
}

}  // namespace

Status LoadTls(const TlsOptions& options, TlsIdentity* identity) {
  Status status = LoadMine(options, identity);
  if (!status.ok()) return status;
  identity->target_name_override = options.target_name_override;
  if (!options.peer_certs_file.empty()) {
    File file;
    status = Read("EFL_PEER_CERTS_FILENAME", "peer_certs_file", options.peer_certs_file, &file);
    if (status.ok()) status = CheckPeers(file);
    if (!status.ok()) return status;
    identity->peer_certs = std::move(file.content);
  }
  // The default asks only of those who can present one; a client-only party has no server to ask.
  if (options.client_auth == ClientAuth::kByPeerCerts && !identity->server_on()) {
    identity->client_auth = ClientAuth::kNone;
    return {};
  }
  return ResolveClientAuth(options, identity);
}

std::shared_ptr<grpc::ServerCredentials> TlsIdentity::ServerCredentials() const {
  if (!server_on()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(RequestType(client_auth));
  options.pem_root_certs = peer_certs;
  options.pem_key_cert_pairs.push_back({my_key, my_certs});
  return grpc::SslServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> TlsIdentity::ChannelCredentials() const {
  if (!client_on()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = peer_certs;
  options.pem_cert_chain = my_certs;
  options.pem_private_key = my_key;
  return grpc::SslCredentials(options);
}

}  // namespace efl
