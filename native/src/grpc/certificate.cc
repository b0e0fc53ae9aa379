#include "grpc/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace efl {
namespace {

void AddName(const ASN1_STRING* name, std::vector<std::string>* names) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, name);
  if (size < 0) return;
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  // A name with a zero byte is made to be read as a shorter one.
  const bool usable = !text.empty() && text.find('\0') == std::string::npos;
  if (usable && std::find(names->begin(), names->end(), text) == names->end()) {
    names->push_back(std::move(text));
  }
}

std::vector<std::string> NamesOf(X509* cert) {
  std::vector<std::string> names;
  const X509_NAME* subject = X509_get_subject_name(cert);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) AddName(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), &names);
  auto* others =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(cert, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(others); ++i) {
    const GENERAL_NAME* other = sk_GENERAL_NAME_value(others, i);
    if (other->type == GEN_DNS) AddName(other->d.dNSName, &names);
    if (other->type == GEN_URI) AddName(other->d.uniformResourceIdentifier, &names);
  }
  GENERAL_NAMES_free(others);
  return names;
}

}  // namespace

BioPtr OpenPem(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

std::vector<CertPtr> ReadCertificates(const std::string& pem) {
  std::vector<CertPtr> certs;
  const BioPtr in = OpenPem(pem);
  while (X509* cert = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    certs.emplace_back(cert, &X509_free);
  }
  ERR_clear_error();  // the end of the text counts as an error
  return certs;
}

bool PeerCertificate::Carries(const std::string& name) const {
  return name.find('*') == std::string::npos &&
         std::any_of(names.begin(), names.end(),
                     [&](const std::string& one) { return absl::EqualsIgnoreCase(one, name); });
}

std::string PeerCertificate::Text() const {
  return absl::StrCat(names.empty() ? "without a name" : "", names.empty() ? "" : "'",
                      absl::StrJoin(names, "', '"), names.empty() ? "" : "'", ", SHA-256 ",
                      fingerprint);
}

PeerCertificatePtr DescribeCertificate(X509* cert) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (cert == nullptr || X509_digest(cert, EVP_sha256(), digest, &size) != 1) return nullptr;
  auto described = std::make_shared<PeerCertificate>();
  described->fingerprint =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), size));
  described->names = NamesOf(cert);
  return described;
}

PeerCertificatePtr DescribeCertificate(const std::string& pem) {
  const std::vector<CertPtr> certs = ReadCertificates(pem);
  return certs.empty() ? nullptr : DescribeCertificate(certs.front().get());
}

}  // namespace efl
