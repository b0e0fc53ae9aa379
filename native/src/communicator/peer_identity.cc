#include "communicator/peer_identity.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace efl {
namespace {

constexpr std::chrono::seconds kNewsPause{1};

}  // namespace

PeerIdentity::PeerIdentity(TlsFilesPtr tls, bool asks_callers)
    : tls_(std::move(tls)), asks_callers_(asks_callers) {}

Status PeerIdentity::CheckServer(const PeerCertificatePtr& cert) {
  std::string met;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    met = party_id_;
  }
  Status status = tls_->now()->Admit(cert);
  // One-way TLS may end at an ingress, whose name is another.
  if (status.ok() && tls_->now()->server_on()) status = CheckParty(met, cert);
  std::lock_guard<std::mutex> lock(mutex_);
  if (status.ok()) server_ = cert;
  return status;
}

Status PeerIdentity::RecheckServer() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return server_ == nullptr ? Status() : tls_->now()->Admit(server_);
}

bool PeerIdentity::IsNews(const PeerCertificatePtr& caller) {
  if (caller == nullptr) return false;
  const auto now = std::chrono::steady_clock::now();
  std::lock_guard<std::mutex> lock(mutex_);
  if (server_ == nullptr || server_->fingerprint == caller->fingerprint ||
      noticed_ == caller->fingerprint || now - noticed_at_ < kNewsPause) {
    return false;
  }
  noticed_ = caller->fingerprint;
  noticed_at_ = now;
  return true;
}

bool PeerIdentity::Binds(const std::string& party_id, const PeerCertificatePtr& cert) const {
  return !party_id.empty() && cert != nullptr && tls_->now()->peer_names.empty();
}

Status PeerIdentity::CheckParty(const std::string& party_id, const PeerCertificatePtr& cert) const {
  if (!Binds(party_id, cert) || cert->Carries(party_id)) return {};
  return {Code::kUnauthenticated,
          absl::StrCat("the certificate ", cert->Text(), " does not carry '", party_id,
                       "', the id of the party that it is presented for: it takes a certificate "
                       "with this name or an id that the certificate carries (party_id) there, or "
                       "EFL_SSL_PEER_NAME (ssl_peer_name) at the other party")};
}

Status PeerIdentity::CheckCallingParty(const std::string& party_id,
                                       const PeerCertificatePtr& caller) const {
  if (caller == nullptr && asks_callers_ && !party_id.empty()) {
    return {Code::kUnauthenticated,
            absl::StrCat("a certificate that carries '", party_id,
                         "', the id of the party that it is presented for, is expected here, and "
                         "none was presented: it takes EFL_MY_CERTS_FILENAME and "
                         "EFL_MY_KEY_FILENAME there, or EFL_SSL_CLIENT_AUTH=none "
                         "(ssl_client_auth) at the other party, which lets anybody in")};
  }
  return CheckParty(party_id, caller);
}

Status PeerIdentity::CheckCalledParty(const std::string& party_id) const {
  if (!tls_->now()->server_on()) return {};
  PeerCertificatePtr server;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    server = server_;
  }
  return CheckParty(party_id, server);
}

bool PeerIdentity::Bind(const std::string& party_id) {
  const TlsFiles::Identity now = tls_->now();
  std::lock_guard<std::mutex> lock(mutex_);
  party_id_ = party_id;
  return !party_id.empty() && now->server_on() && now->peer_names.empty();
}

void PeerIdentity::Forget() { Bind({}); }

Status PeerIdentity::CheckCaller(const PeerCertificatePtr& caller) const {
  std::string met;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    met = party_id_;
  }
  return CheckCallingParty(met, caller);
}

}  // namespace efl
