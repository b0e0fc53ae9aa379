#include "wire/link/link_service.h"

#include "efl/link_service.grpc.pb.h"
#include "grpc/grpc_status.h"

namespace efl {

std::unique_ptr<grpc::Service> AddLinkService(Server* server, const LinkRoute& route) {
  using Raw = LinkService::WithRawMethod_Exchange<LinkService::Service>;
  auto service = std::make_unique<Raw>();
  Raw* raw = service.get();
  server->Add(raw, ServerStreamMethod{[raw](auto... call) { raw->RequestExchange(call...); },
                                      [route](const StreamPtr& stream) {
                                        Status refused = NotReady();
                                        StreamEventsPtr events = route(stream->caller(), &refused);
                                        if (events == nullptr) {
                                          stream->Close(ToGrpc(refused));
                                        }
                                        return events;
                                      }});
  return service;
}

}  // namespace efl
