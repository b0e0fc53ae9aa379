// What a node's owner has to say about what leaves and arrives: the egress policy, the audit
// ledger.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/tensor.h"
#include "governance/audit_ledger.h"
#include "governance/egress_gate.h"

namespace efl {

// Who the other party is.
struct Counterpart {
  std::string party;    // as it calls itself
  std::string address;  // as this party knows it
};

// Thread-safe. What isn't set up lets everything pass.
class Governance {
 public:
  struct Options {
    std::string egress_policy;  // files; empty: none
    std::string audit_log;
    std::string party;  // this one, for the ledger
  };

  // Null and the reason when a file can't be used.
  static std::shared_ptr<Governance> Open(const Options& options, Status* status);
  ~Governance();
  Governance(const Governance&) = delete;
  Governance& operator=(const Governance&) = delete;

  bool on() const { return gate_ != nullptr || ledger_ != nullptr; }

  // Whether the policy lets it out. What it doesn't is recorded as denied. Of this and all that
  // follows the peer learns no more than that it is so (Status::Telling).
  Status Admit(const TensorInfo& info, const Counterpart& peer);
  Status Admit(EgressText kind, const std::string& name, size_t bytes, const Counterpart& peer);

  // Before the first byte leaves, and before a receive ends. Not OK: it must not.
  Status RecordSent(const TensorInfo& info, const Counterpart& peer);
  Status RecordReceived(const TensorInfo& info, const Counterpart& peer);
  Status RecordSent(EgressText kind, const std::string& name, size_t bytes,
                    const Counterpart& peer);
  Status RecordReceived(EgressText kind, const std::string& name, size_t bytes,
                        const Counterpart& peer);

  // Nothing is recorded after this. Idempotent.
  void Close();

 private:
  Governance() = default;
  Status Record(const char* event, const std::string& what, const Counterpart& peer);
  void RecordDenied(const Status& status, const std::string& what, const Counterpart& peer);

  std::unique_ptr<EgressGate> gate_;
  std::unique_ptr<AuditLedger> ledger_;
  std::atomic<bool> closed_{false};
};

}  // namespace efl
