// The LinkService: lets the streams of peers in.
#pragma once

#include <functional>
#include <memory>

#include "grpc/server.h"
#include "wire/link/link.h"

namespace efl {

constexpr const char* kLinkExchange = "/efl.LinkService/Exchange";
constexpr uint32_t kLinkVersion = 1;

// `route`: events of a stream that has just been opened; null while there is nobody to take it.
std::unique_ptr<grpc::Service> AddLinkService(Server* server,
                                              const std::function<StreamEventsPtr()>& route);

}  // namespace efl
