// Reads the files of TlsOptions, and says what is wrong with them.
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "grpc/tls.h"

namespace efl {
namespace {

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
  // An empty file leaves no errno.
  if (!in || (!content && errno != 0)) {
    return Invalid(absl::StrCat(file->said, " cannot be read: ",
                                errno != 0 ? std::strerror(errno) : "not a readable file"));
  }
  file->content = content.str();
  return {};
}

std::string TimeText(const ASN1_TIME* time) {
  BioPtr out(BIO_new(BIO_s_mem()), &BIO_free);
  ASN1_TIME_print(out.get(), time);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<size_t>(size)};
}

// At least one.
Status ParseCerts(const File& file, std::vector<CertPtr>* certs) {
  *certs = ReadCertificates(file.content);
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
  const BioPtr in = OpenPem(key_file.content);
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

// One of a list: "5e:1f:…", with or without colons, in either case, a comment behind a #; also as
// openssl x509 -fingerprint writes it, behind "sha256 Fingerprint=".
Status ParseFingerprints(const File& file, std::set<std::string>* allowed) {
  int number = 0;
  for (absl::string_view line : absl::StrSplit(file.content, '\n')) {
    ++number;
    line = line.substr(0, line.find('#'));
    if (const size_t sign = line.find('='); sign != absl::string_view::npos) {
      line.remove_prefix(sign + 1);
    }
    const std::string digits =
        absl::AsciiStrToLower(absl::StrReplaceAll(absl::StripAsciiWhitespace(line), {{":", ""}}));
    if (digits.empty()) continue;
    constexpr size_t kDigits = 64;
    if (digits.size() != kDigits || !std::all_of(digits.begin(), digits.end(), [](char c) {
          return absl::ascii_isxdigit(static_cast<unsigned char>(c));
        })) {
      return Invalid(absl::StrCat(file.said, ", line ", number,
                                  ": expected a SHA-256 fingerprint, 64 hexadecimal digits"));
    }
    allowed->insert(digits);
  }
  return {};
}

// Rules about certificates that nobody is asked for would let everybody in.
Status CheckRules(const TlsIdentity& identity) {
  const bool rules = !identity.peer_names.empty() || identity.allowed.has_value();
  if (!rules || identity.client_on()) return {};
  return Invalid(
      "EFL_SSL_PEER_NAME (ssl_peer_name) and EFL_SSL_ALLOWED_FINGERPRINTS_FILENAME "
      "(ssl_allowed_fingerprints_file) take EFL_PEER_CERTS_FILENAME (peer_certs_file): without it "
      "this party verifies no certificate");
}

std::vector<std::string> SplitNames(const std::string& names) {
  std::vector<std::string> split;
  for (absl::string_view name : absl::StrSplit(names, ',')) {
    name = absl::StripAsciiWhitespace(name);
    if (!name.empty()) split.emplace_back(name);
  }
  return split;
}

}  // namespace

Status LoadAllowed(const TlsOptions& options, TlsIdentity* identity) {
  if (options.allowed_fingerprints_file.empty()) return {};
  File file;
  Status status = Read("EFL_SSL_ALLOWED_FINGERPRINTS_FILENAME", "ssl_allowed_fingerprints_file",
                       options.allowed_fingerprints_file, &file);
  std::set<std::string> allowed;
  if (status.ok()) status = ParseFingerprints(file, &allowed);
  if (status.ok()) identity->allowed = std::move(allowed);
  return status;
}

Status CheckOwnDates(const TlsIdentity& identity) {
  const std::vector<CertPtr> certs = ReadCertificates(identity.my_certs);
  if (certs.empty()) return {};
  File file;
  file.said = "this party (EFL_MY_CERTS_FILENAME, my_certs_file)";
  const Status wrong = CheckDates(file, certs.front().get());
  return wrong.ok() ? wrong : Status(Code::kUnauthenticated, wrong.message());
}

Status LoadTls(const TlsOptions& options, TlsIdentity* identity) {
  Status status = LoadMine(options, identity);
  if (!status.ok()) return status;
  identity->target_name_override = options.target_name_override;
  identity->min_version = options.min_version;
  identity->peer_names = SplitNames(options.peer_name);
  if (!options.peer_certs_file.empty()) {
    File file;
    status = Read("EFL_PEER_CERTS_FILENAME", "peer_certs_file", options.peer_certs_file, &file);
    if (status.ok()) status = CheckPeers(file);
    if (!status.ok()) return status;
    identity->peer_certs = std::move(file.content);
  }
  status = LoadAllowed(options, identity);
  if (status.ok()) status = CheckRules(*identity);
  if (!status.ok()) return status;
  // The default asks only of those who can present one; a client-only party has no server to ask.
  if (options.client_auth == ClientAuth::kByPeerCerts && !identity->server_on()) {
    identity->client_auth = ClientAuth::kNone;
    return {};
  }
  return ResolveClientAuth(options, identity);
}

}  // namespace efl
