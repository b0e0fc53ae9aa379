#include "governance/governance.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/log.h"

namespace efl {
namespace {

constexpr const char* kDenied = "denied by its egress policy";

std::string Described(const TensorInfo& info) {
  return absl::StrCat(R"("kind":"tensor","name":)", LedgerText(info.name), R"(,"step":)", info.step,
                      R"(,"dtype":")", DTypeName(info.dtype), R"(","shape":[)",
                      absl::StrJoin(info.dims, ","), R"(],"bytes":)", info.size);
}

std::string Described(EgressText kind, const std::string& name, size_t bytes) {
  const bool reader = kind == EgressText::kReaderState;
  return absl::StrCat(R"("kind":")", reader ? "reader_state" : "checkpoint_version", R"(","name":)",
                      LedgerText(name), R"(,"bytes":)", bytes);
}

std::string WhereItStands(const AuditLedger& ledger) {
  const LedgerHead head = ledger.head();
  return absl::StrCat("audit ledger ", ledger.file(), ": line ", head.lines, ", hash ", head.hash);
}

}  // namespace

std::shared_ptr<Governance> Governance::Open(const Options& options, Status* status) {
  *status = {};
  std::shared_ptr<Governance> made(new Governance);
  if (!options.egress_policy.empty()) {
    made->gate_ = EgressGate::Open(options.egress_policy, status);
    if (!status->ok()) return nullptr;
  }
  if (options.audit_log.empty()) return made;
  made->ledger_ = AuditLedger::Open(options.audit_log, status);
  if (!status->ok()) return nullptr;
  *status = made->ledger_->Append(absl::StrCat(
      R"("event":"opened","party":)", LedgerText(options.party), R"(,"process":)", getpid(),
      made->gate_ == nullptr ? std::string()
                             : absl::StrCat(R"(,"policy":)", LedgerText(options.egress_policy),
                                            R"(,"policy_sha256":")", made->gate_->sha256(), "\"")));
  if (!status->ok()) return nullptr;
  Log(LogLevel::kInfo, absl::StrCat(WhereItStands(*made->ledger_), ": opened"));
  return made;
}

Governance::~Governance() { Close(); }

void Governance::Close() {
  if (ledger_ == nullptr || closed_.exchange(true)) return;
  const Status status = ledger_->Close(R"("event":"closed")");
  if (status.ok()) {
    Log(LogLevel::kInfo, absl::StrCat(WhereItStands(*ledger_), ": closed"));
  } else {
    Log(LogLevel::kError, status.message());
  }
}

Status Governance::Admit(const TensorInfo& info, const Counterpart& peer) {
  if (gate_ == nullptr) return {};
  const Status status = gate_->Admit(info);
  if (!status.ok()) RecordDenied(status, Described(info), peer);
  return status.Telling(kDenied);
}

Status Governance::Admit(EgressText kind, const std::string& name, size_t bytes,
                         const Counterpart& peer) {
  if (gate_ == nullptr) return {};
  const Status status = gate_->Admit(kind, static_cast<int64_t>(bytes));
  if (!status.ok()) RecordDenied(status, Described(kind, name, bytes), peer);
  return status.Telling(kDenied);
}

// It is denied whether or not it can be recorded.
void Governance::RecordDenied(const Status& status, const std::string& what,
                              const Counterpart& peer) {
  if (ledger_ == nullptr) return;
  const Status recorded =
      Record("denied", absl::StrCat(what, R"(,"reason":)", LedgerText(status.message())), peer);
  if (!recorded.ok()) Log(LogLevel::kError, recorded.message());
}

Status Governance::RecordSent(const TensorInfo& info, const Counterpart& peer) {
  return ledger_ == nullptr ? Status() : Record("sent", Described(info), peer);
}

Status Governance::RecordReceived(const TensorInfo& info, const Counterpart& peer) {
  return ledger_ == nullptr ? Status() : Record("received", Described(info), peer);
}

Status Governance::RecordSent(EgressText kind, const std::string& name, size_t bytes,
                              const Counterpart& peer) {
  return ledger_ == nullptr ? Status() : Record("sent", Described(kind, name, bytes), peer);
}

Status Governance::RecordReceived(EgressText kind, const std::string& name, size_t bytes,
                                  const Counterpart& peer) {
  return ledger_ == nullptr ? Status() : Record("received", Described(kind, name, bytes), peer);
}

Status Governance::Record(const char* event, const std::string& what, const Counterpart& peer) {
  return ledger_
      ->Append(absl::StrCat(R"("event":")", event, R"(","peer":)", LedgerText(peer.party),
                            R"(,"address":)", LedgerText(peer.address), ",", what))
      .Telling("its audit ledger can't be written");
}

}  // namespace efl
