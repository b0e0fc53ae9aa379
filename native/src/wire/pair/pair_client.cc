#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "efl/pair_service.pb.h"
#include "wire/messages.h"
#include "wire/pair/pair.h"
#include "wire/pair/pair_messages.h"

namespace efl {
namespace {

constexpr int64_t kHelloTimeoutMs = 5000;
constexpr int64_t kGoodbyeTimeoutMs = 500;
constexpr int64_t kFirstPauseMs = 100;
constexpr int64_t kLongestPauseMs = 2000;

int64_t PauseAfter(int attempts) {
  return std::min(kLongestPauseMs, kFirstPauseMs << std::min(attempts, 5));
}

bool MayPass(const Status& status) {
  return status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded;
}

}  // namespace

PairClient::PairClient(Client* client, Introduction mine, Diagnose diagnose)
    : client_(client), mine_(std::move(mine)), diagnose_(std::move(diagnose)) {}

void PairClient::Meet(const Errand& errand, const Met& met) { Attempt(errand, 0, Status(), met); }

std::shared_ptr<ClientCall> PairClient::Ask(
    std::function<void(const Status&, const Introduction*)> answered) {
  return client_->Call(
      kHello, Encode(ToHello(mine_)), kHelloTimeoutMs,
      [this, answered = std::move(answered)](const grpc::Status& status, grpc::ByteBuffer* bytes) {
        PairHello hello;
        if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
          answered({}, nullptr);
        } else if (!status.ok()) {
          answered(FromGrpc(status), nullptr);
        } else if (!Decode(bytes, &hello)) {
          answered({Code::kInternal, "the peer's Hello cannot be decoded"}, nullptr);
        } else {
          spoken_ = true;
          const Introduction theirs = FromHello(hello);
          answered({}, &theirs);
        }
      });
}

void PairClient::Attempt(const Errand& errand, int attempts, const Status& last_diagnosis,
                         const Met& met) {
  errand.slot->Hold(Ask([=](const Status& status, const Introduction* theirs) {
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
    const Status diagnosis = diagnose_();
    // Twice the same: it isn't a party that is just being restarted with other certificates.
    if (!diagnosis.ok() && diagnosis.message() == last_diagnosis.message()) {
      operation->TryEnd(diagnosis);
      return;
    }
    client_->After(PauseAfter(attempts), [=] {
      if (!operation->claimed()) Attempt(errand, attempts + 1, diagnosis, met);
    });
  }));
}

void PairClient::Reset(const std::string& name, int64_t step, const Status& status) {
  if (!spoken_) return;
  ResetRequest request;
  request.set_name(name);
  request.set_step(static_cast<uint64_t>(step));
  request.set_incarnation(mine_.incarnation);
  SetOutcome(status, &request);
  client_->Call(kReset, Encode(request), kHelloTimeoutMs,
                [](const grpc::Status&, grpc::ByteBuffer*) {});
}

void PairClient::Goodbye(const std::string& reason) {
  if (!spoken_) return;
  GoodbyeRequest request;
  request.set_incarnation(mine_.incarnation);
  request.set_reason(reason);
  std::promise<void> answered;
  client_->Call(kGoodbye, Encode(request), kGoodbyeTimeoutMs,
                [&](const grpc::Status&, grpc::ByteBuffer*) { answered.set_value(); });
  answered.get_future().wait();
}

}  // namespace efl
