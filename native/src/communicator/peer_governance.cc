// Where a Peer asks what may leave, and says what has left and arrived.
#include <utility>

#include "communicator/peer.h"

namespace efl {

Counterpart Peer::PeerForLedger() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return {their_party_id_, options_.peer_address};
}

Status Peer::LetOut(const TensorInfo& info) {
  if (!governance_->on()) return {};
  const Counterpart peer = PeerForLedger();
  Status status = governance_->Admit(info, peer);
  return status.ok() ? governance_->RecordSent(info, peer) : status;
}

void Peer::PostText(EgressText kind, const std::string& dataset, const std::string& topic,
                    const Subject& subject, const Outcome& outcome, Call call,
                    const Status& refused) {
  const size_t bytes = outcome.text.size();
  Status denied;
  if (refused.ok()) denied = governance_->Admit(kind, dataset, bytes, PeerForLedger());
  if (denied.ok()) {
    Answer answer;
    answer.outcome = outcome;
    answer.record = [this, kind, dataset, bytes] {
      return governance_->RecordSent(kind, dataset, bytes, PeerForLedger());
    };
    PostAnswer(topic, subject, std::move(answer), std::move(call), refused);
    return;
  }
  // The question that this would have answered learns that there is no answer.
  Answer no;
  no.status = denied;
  Call in_its_place;
  in_its_place.timeout_ms = call.timeout_ms;
  in_its_place.done = [](const Status&, const Outcome&) {};
  PostAnswer(topic, subject, std::move(no), std::move(in_its_place), refused);
  const uint64_t group = call.group;
  Make(subject, std::move(call))->TryEnd(denied);
  monitor_->FailGroup(this, group, denied.About(subject));
}

void Peer::Record(EgressText kind, const std::string& dataset, const Subject& subject, Call* call) {
  call->done = [this, kind, dataset, subject, group = call->group, done = std::move(call->done)](
                   const Status& status, const Outcome& outcome) {
    Status kept;
    if (status.ok()) {
      kept = governance_->RecordReceived(kind, dataset, outcome.text.size(), PeerForLedger());
    }
    done(kept.ok() ? status : kept.About(subject), kept.ok() ? outcome : Outcome());
    // The operation itself has ended well.
    if (!kept.ok()) monitor_->FailGroup(this, group, kept.About(subject));
  };
}

}  // namespace efl
