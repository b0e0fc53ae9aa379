// The incoming half of the `trainer` wire.
#pragma once

#include <functional>
#include <memory>

#include "grpc/server.h"
#include "wire/inbound.h"

namespace efl {

// The peer that incoming calls are for, null while there is none: the wire says nothing about who
// calls, so a node has one peer on it.
using Route = std::function<std::shared_ptr<Inbound>()>;

// Registers efl.TrainerService. The returned object has to outlive the server.
std::unique_ptr<grpc::Service> AddTrainerService(Server* server, const Route& route);

}  // namespace efl
