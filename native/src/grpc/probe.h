// Why a peer can't be reached, when the reason is TLS: gRPC's error text doesn't say, or not to a
// user.
#pragma once

#include <string>

#include "base/status.h"
#include "grpc/tls.h"

namespace efl {

// Dials the address by hand as a gRPC client with these settings would, and looks at what happens:
// UNAUTHENTICATED says what is wrong with the certificates or who speaks TLS to whom; OK: no such
// reason was found. Blocks for up to about three seconds.
Status Probe(const std::string& address, const TlsIdentity& tls);

}  // namespace efl
