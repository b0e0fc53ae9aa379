#include "support/certificates.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

namespace efl::test {
namespace {

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertPtr = std::unique_ptr<X509, decltype(&X509_free)>;
using FilePtr = std::unique_ptr<FILE, decltype(&fclose)>;

void Extend(X509* cert, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

CertPtr NewCert(const std::string& name, EVP_PKEY* key, int64_t from, int64_t seconds) {
  static long serial = 1;
  CertPtr cert(X509_new(), &X509_free);
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), from + seconds);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(cert.get(), key);
  return cert;
}

void Save(const std::string& cert_file, X509* cert, const std::string& key_file, EVP_PKEY* key) {
  const FilePtr cert_out(fopen(cert_file.c_str(), "w"), &fclose);
  PEM_write_X509(cert_out.get(), cert);
  const FilePtr key_out(fopen(key_file.c_str(), "w"), &fclose);
  PEM_write_PrivateKey(key_out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
}

void MakeCa(const std::string& name, const std::string& cert_file, const std::string& key_file) {
  const KeyPtr key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const CertPtr cert = NewCert(name, key.get(), -2 * 86400, 10 * 86400);
  X509_set_issuer_name(cert.get(), X509_get_subject_name(cert.get()));
  Extend(cert.get(), NID_basic_constraints, "critical,CA:TRUE");
  Extend(cert.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  X509_sign(cert.get(), key.get(), EVP_sha256());
  Save(cert_file, cert.get(), key_file, key.get());
}

}  // namespace

Certificates::Certificates() {
  std::string pattern = testing::TempDir() + "/efl-certs-XXXXXX";
  const char* made = mkdtemp(pattern.data());
  EXPECT_NE(made, nullptr);
  folder_ = pattern;
}

Certificates::~Certificates() { std::filesystem::remove_all(folder_); }

void Certificates::Make(const std::string& name, const Wish& wish) {
  if (!std::filesystem::exists(cert(wish.ca))) MakeCa(wish.ca, cert(wish.ca), key(wish.ca));
  const FilePtr ca_in(fopen(cert(wish.ca).c_str(), "r"), &fclose);
  const CertPtr ca(PEM_read_X509(ca_in.get(), nullptr, nullptr, nullptr), &X509_free);
  const FilePtr key_in(fopen(key(wish.ca).c_str(), "r"), &fclose);
  const KeyPtr ca_key(PEM_read_PrivateKey(key_in.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  const KeyPtr mine(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const CertPtr cert_out = NewCert(name, mine.get(), wish.valid_from_s, wish.valid_for_s);
  X509_set_issuer_name(cert_out.get(), X509_get_subject_name(ca.get()));
  Extend(cert_out.get(), NID_subject_alt_name,
         "DNS:" + wish.dns + (wish.loopback_ip ? ",IP:127.0.0.1" : "") +
             (wish.uri.empty() ? "" : ",URI:" + wish.uri));
  X509_sign(cert_out.get(), ca_key.get(), EVP_sha256());
  Save(cert(name), cert_out.get(), key(name), mine.get());
}

void Certificates::Write(const std::string& file, const std::string& content) const {
  std::ofstream(path(file)) << content;
}

void Certificates::Replace(const std::string& file, const std::string& other,
                           const char* what) const {
  std::filesystem::copy_file(path(other + what), path("new"),
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::rename(path("new"), path(file + what));
}

void Certificates::Replace(const std::string& name, const std::string& other) const {
  Replace(name, other, ".key");
  Replace(name, other, ".crt");
}

std::string Certificates::Read(const std::string& file) const {
  std::ifstream in(path(file));
  return {std::istreambuf_iterator<char>(in), {}};
}

void Certificates::Allow(const std::string& file,
                         const std::vector<std::string>& fingerprints) const {
  std::string lines = "# who may come in\n";
  for (const std::string& fingerprint : fingerprints) lines += fingerprint + "\n";
  Write("new", lines);
  std::filesystem::rename(path("new"), path(file));
}

std::string Certificates::Fingerprint(const std::string& name) const {
  return DescribeCertificate(Read(name + ".crt"))->fingerprint;
}

TlsOptions Certificates::Tls(const std::string& name, const std::string& ca) const {
  TlsOptions tls;
  tls.my_certs_file = cert(name);
  tls.my_key_file = key(name);
  tls.peer_certs_file = cert(ca);
  return tls;
}

}  // namespace efl::test
