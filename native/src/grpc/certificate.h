// Certificates: read from PEM, and what one says of the party that has presented it.
#pragma once

#include <openssl/bio.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace efl {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using CertPtr = std::unique_ptr<X509, decltype(&X509_free)>;

// Reads from the text in place.
BioPtr OpenPem(const std::string& text);
// All certificates of a PEM text, in its order.
std::vector<CertPtr> ReadCertificates(const std::string& pem);

// A certificate that the other side of a connection has proved to own.
struct PeerCertificate {
  std::string fingerprint;         // SHA-256 of its DER form, 64 lower-case hexadecimal digits
  std::vector<std::string> names;  // its common name, DNS names and URIs

  // Whether one of its names is this one, whatever the case. A name with a wildcard is no identity.
  bool Carries(const std::string& name) const;
  // "'bob.example', SHA-256 5e1f…".
  std::string Text() const;
};
// Null: none was presented.
using PeerCertificatePtr = std::shared_ptr<const PeerCertificate>;

PeerCertificatePtr DescribeCertificate(X509* cert);
// Null when it can't be read.
PeerCertificatePtr DescribeCertificate(const std::string& pem);

}  // namespace efl
