#include "grpc/tls_version.h"

#include <atomic>

namespace efl {
namespace {

std::atomic<int> demands{0};

}  // namespace

void DemandTls13(int change) { demands += change; }

bool Tls13Demanded() { return demands > 0; }

}  // namespace efl

// The linker puts these between gRPC, where it is linked statically, and OpenSSL (CMakeLists.txt):
// SSL_CTX_set_min_proto_version expands to it.
extern "C" {
long __real_SSL_CTX_ctrl(SSL_CTX* context, int command, long number, void* pointer);
long __wrap_SSL_CTX_ctrl(SSL_CTX* context, int command, long number, void* pointer);

long __wrap_SSL_CTX_ctrl(SSL_CTX* context, int command, long number, void* pointer) {
  if (command == SSL_CTRL_SET_MIN_PROTO_VERSION && efl::Tls13Demanded()) number = TLS1_3_VERSION;
  return __real_SSL_CTX_ctrl(context, command, number, pointer);
}
}
