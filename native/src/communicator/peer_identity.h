// Who the peer is by its certificates: what they have to say of it, and which it was met with.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "base/status.h"
#include "grpc/tls_files.h"

namespace efl {

class PeerIdentity {
 public:
  // asks_callers: the server of this party asks whoever calls for a certificate.
  PeerIdentity(TlsFilesPtr tls, bool asks_callers);

  // A server at the peer's address, before anything is sent to it.
  Status CheckServer(const PeerCertificatePtr& cert);
  // Whether the last of them is still let in.
  Status RecheckServer() const;

  // Whether a caller who may speak for the peer has another certificate than the server there had
  // when it was last looked at; once for each, and not more often than each second.
  bool IsNews(const PeerCertificatePtr& caller);

  // A party that introduces itself with this id: its certificate has to carry it, unless
  // ssl_peer_name says what it has to carry. Of one that calls, which needs a certificate where it
  // is asked for one; of the one that was called.
  Status CheckCallingParty(const std::string& party_id, const PeerCertificatePtr& caller) const;
  Status CheckCalledParty(const std::string& party_id) const;

  // From Bind to Forget nobody else speaks for the peer. Whether that tells callers apart.
  bool Bind(const std::string& party_id);
  void Forget();
  Status CheckCaller(const PeerCertificatePtr& caller) const;

 private:
  // Whether a party id has to be one of the certificate's names.
  bool Binds(const std::string& party_id, const PeerCertificatePtr& cert) const;
  Status CheckParty(const std::string& party_id, const PeerCertificatePtr& cert) const;

  const TlsFilesPtr tls_;
  const bool asks_callers_;
  mutable std::mutex mutex_;
  PeerCertificatePtr server_;
  std::string noticed_;  // the fingerprint that was news last, and when
  std::chrono::steady_clock::time_point noticed_at_;
  std::string party_id_;  // of the peer, once it was met
};

}  // namespace efl
