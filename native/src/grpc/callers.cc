#include "grpc/callers.h"

#include <grpc/grpc_security_constants.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace efl {

PeerCertificatePtr Callers::Of(const grpc::ServerContext& context) {
  if (!asks()) return nullptr;
  const auto pems = context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pems.empty()) return nullptr;
  std::lock_guard<std::mutex> lock(mutex_);
  if (pems.front() != last_pem_ || last_caller_ == nullptr) {
    last_pem_.assign(pems.front().data(), pems.front().size());
    last_caller_ = DescribeCertificate(last_pem_);
  }
  return last_caller_;
}

Status Callers::Admit(const grpc::ServerContext& context, const PeerCertificatePtr& caller) {
  Status refused = tls_->now()->AdmitCaller(caller);
  if (refused.ok()) return refused;
  refusals_.Note(absl::StrCat("a caller at ", context.peer()), refused);
  if (on_refused_) on_refused_(caller, refused);
  return refused;
}

void Callers::Keep(const CallPtr& call, const PeerCertificatePtr& caller) {
  if (!asks()) return;
  std::lock_guard<std::mutex> lock(mutex_);
  calls_.emplace(call, caller);
}

void Callers::Forget(const CallPtr& call) {
  if (!asks()) return;
  std::lock_guard<std::mutex> lock(mutex_);
  calls_.erase(call);
}

void Callers::Recheck() {
  std::map<CallPtr, PeerCertificatePtr> calls;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    calls = calls_;
  }
  const TlsFiles::Identity now = tls_->now();
  std::map<std::string, int> ended;  // by reason
  for (const auto& [call, caller] : calls) {
    const Status refused = now->AdmitCaller(caller);
    if (refused.ok()) continue;
    ++ended[refused.message()];
    call->Revoke(refused);
  }
  for (const auto& [why, count] : ended) {
    Log(LogLevel::kWarning,
        absl::StrCat("ended ", count, count == 1 ? " call" : " calls", " of a caller: ", why));
  }
}

}  // namespace efl
