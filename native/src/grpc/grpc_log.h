// gRPC's own log lines, as ours.
#pragma once

namespace efl {

// Once per process, before the first server or channel. What gRPC calls an error is a peer that
// can't be reached or a handshake that failed: the operation that met it says so in its own words,
// so it is INFO here, and the rest DEBUG.
void RouteGrpcLog();

}  // namespace efl
