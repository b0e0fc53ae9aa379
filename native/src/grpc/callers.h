// Who calls a server, and whether they may: by their certificates, when a call comes in, and again
// when the files that say who is let in have changed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/status.h"
#include "grpc/refusal_log.h"
#include "grpc/tls_files.h"
#include "grpcpp/server_context.h"

namespace efl {

class Callers {
 public:
  // A call that is under way.
  class Call {
   public:
    virtual ~Call() = default;
    // Its caller isn't let in any more: ends it with this.
    virtual void Revoke(const Status& why) = 0;
  };
  using CallPtr = std::shared_ptr<Call>;

  explicit Callers(TlsFilesPtr tls) : tls_(std::move(tls)) {}

  // Before the first call. Runs where a call was taken, when somebody was sent away.
  using OnRefused = std::function<void(const PeerCertificatePtr& caller, const Status& why)>;
  void set_on_refused(OnRefused on_refused) { on_refused_ = std::move(on_refused); }

  // Whether they are asked for a certificate. Doesn't change.
  bool asks() const { return tls_->now()->asks_clients(); }
  // The certificate of a call; null: without one, or the server asks for none.
  PeerCertificatePtr Of(const grpc::ServerContext& context);

  // Every call passes here first. Not OK: its caller isn't let in, and the answer says why.
  Status Admit(const grpc::ServerContext& context, const PeerCertificatePtr& caller);

  // From Keep to Forget a call ends when its caller isn't let in any more. Kept before it is
  // admitted, it is looked at with the files as they are after any change.
  void Keep(const CallPtr& call, const PeerCertificatePtr& caller);
  void Forget(const CallPtr& call);
  void Recheck();

  RefusalLog* refusals() { return &refusals_; }

 private:
  const TlsFilesPtr tls_;
  OnRefused on_refused_;
  RefusalLog refusals_;

  std::mutex mutex_;
  std::string last_pem_;  // and what it says: a party calls often
  PeerCertificatePtr last_caller_;
  std::map<CallPtr, PeerCertificatePtr> calls_;
};

}  // namespace efl
