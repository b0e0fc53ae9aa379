// The LinkService: lets the streams of peers in.
#pragma once

#include <functional>
#include <memory>

#include "grpc/server.h"
#include "wire/link/link.h"

namespace efl {

constexpr const char* kLinkExchange = "/efl.LinkService/Exchange";
constexpr uint32_t kLinkVersion = 1;

// `route`: events of a stream that this caller has just opened; null and the reason when nobody
// takes it.
using LinkRoute = std::function<StreamEventsPtr(const PeerCertificatePtr& caller, Status* refused)>;
std::unique_ptr<grpc::Service> AddLinkService(Server* server, const LinkRoute& route);

}  // namespace efl
