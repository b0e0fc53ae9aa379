// What is set in gRPC, and below it, for the whole process.
#pragma once

namespace efl {

// Once per process, before the first server or channel.
//
// gRPC's log lines become ours. What gRPC calls an error is a peer that can't be reached or a
// handshake that failed: the operation that met it says so in its own words, so it is INFO here,
// and the rest DEBUG.
//
// Abseil, as Debian builds it, looks for a deadlock at each lock that gRPC takes; that is turned
// off: it took a seventh of the time of both ends of a pair that exchanges small tensors.
void SetUpGrpc();

}  // namespace efl
