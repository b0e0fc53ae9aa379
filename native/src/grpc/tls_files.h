// The files of TlsOptions as they are now: certificates, keys and lists are replaced while parties
// run.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/status.h"
#include "grpc/tls.h"

namespace efl {

class TlsFiles {
 public:
  // Null and the reason when they can't be used.
  static std::shared_ptr<TlsFiles> Load(const TlsOptions& options, Status* status);
  // Of a party without TLS.
  static std::shared_ptr<TlsFiles> None();
  ~TlsFiles();
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;

  using Identity = std::shared_ptr<const TlsIdentity>;
  Identity now() const;

  // Reads them again. What has changed is taken when two calls in a row have read the same, so that
  // a file is taken whole; what can't be used is logged once, and the last that could stays. True:
  // `now` is another. One caller at a time.
  bool Refresh();

 private:
  TlsFiles(TlsOptions options, Identity identity);
  // Once for each thing that is wrong.
  void Complain(const Status& wrong);

  const TlsOptions options_;
  mutable std::mutex mutex_;
  Identity now_;
  Identity next_;          // read once; of Refresh alone
  std::string complaint_;  // of Refresh alone
};
using TlsFilesPtr = std::shared_ptr<TlsFiles>;

}  // namespace efl
