#include <utility>

#include "absl/strings/str_cat.h"
#include "efl/pair_service.grpc.pb.h"
#include "grpc/grpc_status.h"
#include "wire/messages.h"
#include "wire/pair/pair.h"
#include "wire/pair/pair_messages.h"

namespace efl {
namespace {

using Raw = PairService::WithRawMethod_Hello<
    PairService::WithRawMethod_Reset<PairService::WithRawMethod_Goodbye<PairService::Service>>>;
using Route = std::function<std::shared_ptr<PairEvents>()>;

// The messages here are small; more is an attack.
constexpr size_t kMaxMessage = 64 << 10;

void OnHello(PairEvents* peer, const PairHello& hello, const ServerCallPtr& call) {
  Status status = CheckHello(hello);
  if (status.ok()) status = peer->OnHello(FromHello(hello), call->caller());
  if (status.ok()) {
    call->Answer(Encode(ToHello(peer->introduction())), nullptr);
  } else {
    call->Fail(ToGrpc(status));
  }
}

void OnReset(PairEvents* peer, const ResetRequest& request, const ServerCallPtr& call) {
  peer->OnReset(request.incarnation(), request.name(), static_cast<int64_t>(request.step()),
                OutcomeOf(request));
  call->Answer(Encode(ResetResponse()), nullptr);
}

void OnGoodbye(PairEvents* peer, const GoodbyeRequest& request, const ServerCallPtr& call) {
  peer->OnGoodbye(request.incarnation(), request.reason());
  call->Answer(Encode(GoodbyeResponse()), nullptr);
}

template <typename Request>
std::function<void(const ServerCallPtr&)> To(const Route& route,
                                             void (*handle)(PairEvents*, const Request&,
                                                            const ServerCallPtr&)) {
  return [route, handle](const ServerCallPtr& call) {
    Request request;
    const auto peer = route();
    if (peer == nullptr) {
      call->Fail({grpc::StatusCode::UNAVAILABLE, "This party is not ready yet."});
    } else if (call->request()->Length() > kMaxMessage || !Decode(call->request(), &request)) {
      call->Fail({grpc::StatusCode::INVALID_ARGUMENT, "The request cannot be decoded."});
    } else if (const Status stranger = peer->CheckCaller(call->caller()); !stranger.ok()) {
      call->Fail(ToGrpc(stranger));
    } else {
      handle(peer.get(), request, call);
    }
  };
}

}  // namespace

std::unique_ptr<grpc::Service> AddPairService(Server* server, const Route& route) {
  auto service = std::make_unique<Raw>();
  Raw* raw = service.get();
  server->Add(raw, {{[raw](auto... call) { raw->RequestHello(call...); }, To(route, OnHello)},
                    {[raw](auto... call) { raw->RequestReset(call...); }, To(route, OnReset)},
                    {[raw](auto... call) { raw->RequestGoodbye(call...); }, To(route, OnGoodbye)}});
  return service;
}

}  // namespace efl
