#include "grpc/tls_files.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "grpc/tls_version.h"

namespace efl {

std::shared_ptr<TlsFiles> TlsFiles::Load(const TlsOptions& options, Status* status) {
  auto identity = std::make_shared<TlsIdentity>();
  *status = LoadTls(options, identity.get());
  if (!status->ok()) return nullptr;
  return std::shared_ptr<TlsFiles>(new TlsFiles(options, std::move(identity)));
}

std::shared_ptr<TlsFiles> TlsFiles::None() {
  return std::shared_ptr<TlsFiles>(new TlsFiles({}, std::make_shared<TlsIdentity>()));
}

TlsFiles::TlsFiles(TlsOptions options, Identity identity)
    : options_(std::move(options)), now_(std::move(identity)) {
  if (options_.min_version == TlsVersion::k13) DemandTls13(1);
}

TlsFiles::~TlsFiles() {
  if (options_.min_version == TlsVersion::k13) DemandTls13(-1);
}

TlsFiles::Identity TlsFiles::now() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return now_;
}

bool TlsFiles::Refresh() {
  const auto read = std::make_shared<TlsIdentity>();
  Status wrong = LoadTls(options_, read.get());
  if (!wrong.ok()) {
    // Whoever is taken off the list is out, even where the rest can't be used.
    *read = *now();
    if (Status of_list = LoadAllowed(options_, read.get()); !of_list.ok()) wrong = of_list;
    Complain(wrong);
  } else {
    complaint_.clear();
  }
  if (*read == *now()) {
    next_ = nullptr;
    return false;
  }
  if (next_ == nullptr || !(*read == *next_)) {
    next_ = read;
    return false;
  }
  next_ = nullptr;
  std::lock_guard<std::mutex> lock(mutex_);
  now_ = read;
  return true;
}

void TlsFiles::Complain(const Status& wrong) {
  if (complaint_ == wrong.message()) return;
  complaint_ = wrong.message();
  Log(LogLevel::kWarning, absl::StrCat("TLS: ", wrong.message(),
                                       "; the last files that fit together stay in use, and it is "
                                       "tried again until these do"));
}

}  // namespace efl
