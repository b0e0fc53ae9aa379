// TLS 1.3 where it is demanded. gRPC has no way to say so, and takes 1.2.
#pragma once

#include <openssl/ssl.h>

namespace efl {

// 1: somebody in this process demands it, -1: not any more. While anybody does, every connection
// that gRPC begins or accepts in this process speaks TLS 1.3.
void DemandTls13(int change);

bool Tls13Demanded();

}  // namespace efl
