#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "efl/pair_service.pb.h"
#include "grpc/grpc_status.h"
#include "wire/messages.h"
#include "wire/pair/pair.h"
#include "wire/pair/pair_messages.h"

namespace efl {
namespace {

constexpr int64_t kHelloTimeoutMs = 5000;
constexpr int64_t kGoodbyeTimeoutMs = 500;
constexpr int64_t kFirstPauseMs = 100;
constexpr int64_t kLongestPauseMs = 2000;
constexpr int kMostResetAttempts = 8;
// Under way; of what is more a receive hears by its timeout.
constexpr size_t kMostResets = 1024;

int64_t PauseAfter(int attempts) {
  return std::min(kLongestPauseMs, kFirstPauseMs << std::min(attempts, 5));
}

bool MayPass(const Status& status) {
  return status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded;
}

}  // namespace

PairClient::PairClient(Client* client, Introduction mine, Prober* prober)
    : client_(client), mine_(std::move(mine)), prober_(prober) {}

void PairClient::Meet(const Errand& errand, const Met& met) { Attempt(errand, 0, Status(), met); }

std::shared_ptr<ClientCall> PairClient::Ask(
    int64_t timeout_ms, std::function<void(const Status&, const Introduction*)> answered,
    Client::WhenCut when_cut) {
  return client_->Call(
      kHello, Encode(ToHello(mine_)), timeout_ms,
      [this, answered = std::move(answered)](const grpc::Status& status, grpc::ByteBuffer* bytes) {
        PairHello hello;
        if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
          answered({}, nullptr);
        } else if (!status.ok()) {
          answered(FromGrpc(status), nullptr);
        } else if (!Decode(bytes, &hello)) {
          answered({Code::kInternal, "the peer's Hello cannot be decoded"}, nullptr);
        } else if (const Status wrong = CheckHello(hello); !wrong.ok()) {
          answered(wrong, nullptr);
        } else {
          spoken_ = true;
          const Introduction theirs = FromHello(hello);
          answered({}, &theirs);
        }
      },
      when_cut);
}

void PairClient::Attempt(const Errand& errand, int attempts, const Status& last_diagnosis,
                         const Met& met) {
  const auto answered = [=](const Status& status, const Introduction* theirs) {
    const OperationPtr& operation = errand.operation;
    if (operation->claimed()) return;
    if (status.ok()) {
      met(theirs);
      return;
    }
    if (!MayPass(status)) {
      operation->TryEnd(status);
      return;
    }
    operation->set_note(absl::StrCat("the peer cannot be reached (", status.message(), ")"));
    OnUnreachable(errand, attempts, last_diagnosis, met);
  };
  errand.slot->Hold(Ask(kHelloTimeoutMs, answered, Client::WhenCut::kIsMadeAgain));
}

void PairClient::OnUnreachable(const Errand& errand, int attempts, const Status& last_diagnosis,
                               const Met& met) {
  // gRPC would pause, or go on with a connection that nothing comes through any more.
  client_->Renew(0);
  const auto again = [=](const Status& diagnosis) {
    // Twice the same: it isn't a party that is just being restarted with other certificates.
    if (!diagnosis.ok() && diagnosis.message() == last_diagnosis.message()) {
      errand.operation->TryEnd(diagnosis);
      return;
    }
    client_->After(PauseAfter(attempts), [=] {
      if (!errand.operation->claimed()) Attempt(errand, attempts + 1, diagnosis, met);
    });
  };
  // On a client thread, since an operation may end there.
  prober_->Run([client = client_, again](const Status& diagnosis) {
    client->After(0, [=] { again(diagnosis); });
  });
}

void PairClient::Reset(const std::string& name, int64_t step, const Status& status) {
  if (!spoken_) return;
  ResetRequest request;
  request.set_name(name);
  request.set_step(static_cast<uint64_t>(step));
  request.set_incarnation(mine_.incarnation);
  SetOutcome(status, &request);
  const auto slot = std::make_shared<CallSlot>();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (resets_.size() >= kMostResets) return;
    resets_.insert(slot);
  }
  SendReset(slot, Encode(request), 0);
}

void PairClient::SendReset(const std::shared_ptr<CallSlot>& slot, const grpc::ByteBuffer& request,
                           int attempts) {
  const auto sent = [=](const grpc::Status& status, grpc::ByteBuffer*) {
    if (MayPass(FromGrpc(status)) && attempts < kMostResetAttempts) {
      client_->After(PauseAfter(attempts), [=] { SendReset(slot, request, attempts + 1); });
    } else {
      std::lock_guard<std::mutex> lock(mutex_);
      resets_.erase(slot);
    }
  };
  // A call that is started and then cancelled may arrive.
  if (!slot->cancelled().ok()) return;
  slot->Hold(client_->Call(kReset, request, kHelloTimeoutMs, sent, Client::WhenCut::kIsMadeAgain));
}

std::function<void()> PairClient::Forget() {
  std::unordered_set<std::shared_ptr<CallSlot>> resets;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    resets.swap(resets_);
  }
  return [resets = std::move(resets)] {
    for (const auto& slot : resets) slot->Cancel({Code::kCancelled, "the peer is lost"});
  };
}

void PairClient::Goodbye(const std::string& reason) {
  if (!spoken_) return;
  GoodbyeRequest request;
  request.set_incarnation(mine_.incarnation);
  request.set_reason(reason);
  const auto answered = std::make_shared<std::promise<void>>();
  client_->Call(kGoodbye, Encode(request), kGoodbyeTimeoutMs,
                [answered](const grpc::Status&, grpc::ByteBuffer*) { answered->set_value(); });
  // Longer than the call may take: a client thread may be held up in a callback.
  answered->get_future().wait_for(std::chrono::milliseconds(2 * kGoodbyeTimeoutMs));
}

}  // namespace efl
