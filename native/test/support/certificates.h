// Certificates made for a test, with OpenSSL itself, in a folder that goes away with the object.
#pragma once

#include <string>
#include <vector>

#include "grpc/tls.h"

namespace efl::test {

class Certificates {
 public:
  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  struct Wish {
    std::string ca = "ca";  // made when it isn't there yet
    std::string dns = "localhost";
    bool loopback_ip = true;
    int64_t valid_from_s = -3600;  // relative to now
    int64_t valid_for_s = 86400;
    std::string uri = {};  // more names
  };

  // A certificate and its key, signed by a CA of this object.
  void Make(const std::string& name, const Wish& wish);
  void Make(const std::string& name) { Make(name, Wish()); }
  void Write(const std::string& file, const std::string& content) const;
  // Puts the certificate and key of another name in place of these, each file at once.
  void Replace(const std::string& name, const std::string& other) const;
  void Replace(const std::string& file, const std::string& other, const char* what) const;
  std::string Read(const std::string& file) const;
  // A list of allowed fingerprints, put in place at once.
  void Allow(const std::string& file, const std::vector<std::string>& fingerprints) const;
  std::string Fingerprint(const std::string& name) const;

  std::string cert(const std::string& name) const { return path(name + ".crt"); }
  std::string key(const std::string& name) const { return path(name + ".key"); }
  std::string path(const std::string& file) const { return folder_ + "/" + file; }

  // Mutual TLS as `name`, trusting `ca`.
  TlsOptions Tls(const std::string& name, const std::string& ca = "ca") const;

 private:
  std::string folder_;
};

}  // namespace efl::test
