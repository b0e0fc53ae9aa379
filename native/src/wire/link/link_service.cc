#include "wire/link/link_service.h"

#include "efl/link_service.grpc.pb.h"

namespace efl {

std::unique_ptr<grpc::Service> AddLinkService(Server* server,
                                              const std::function<StreamEventsPtr()>& route) {
  using Raw = LinkService::WithRawMethod_Exchange<LinkService::Service>;
  auto service = std::make_unique<Raw>();
  Raw* raw = service.get();
  server->Add(
      raw, ServerStreamMethod{
               [raw](auto... call) { raw->RequestExchange(call...); },
               [route](const StreamPtr& stream) {
                 StreamEventsPtr events = route();
                 if (events == nullptr) {
                   stream->Close({grpc::StatusCode::UNAVAILABLE, "This party is not ready yet."});
                 }
                 return events;
               }});
  return service;
}

}  // namespace efl
