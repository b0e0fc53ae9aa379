// gtest's main, with an OpenSSL that isn't taken down as the process exits: gRPC's pool has threads
// that outlive it, and what they hold of OpenSSL would look lost to LeakSanitizer.
#include <grpc/grpc.h>
#include <grpcpp/completion_queue.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sys/prctl.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "grpc/steady_time.h"
#include "support/child.h"

namespace {

// The last one that uses gRPC has it shut down on a thread of gRPC's own, which joins the others: a
// process that ends before leaves threads that nobody has joined. Waits for it, though not for
// ever: gRPC keeps a few of the TLS connections that were cut (docs/roadmap.md), and so lives on.
int AfterGrpc(int status) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (grpc_is_initialized() == 0) break;
    // A connection that was closed while it still wrote takes one more look by somebody.
    grpc::CompletionQueue queue;
    void* tag;
    bool ok;
    queue.AsyncNext(&tag, &ok, efl::SteadyTimeAfter(5));
    queue.Shutdown();
    while (queue.Next(&tag, &ok)) {
    }
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // Which wire parties take that say nothing else; a process of its own (Child) inherits it.
  constexpr std::string_view kWire = "--wire=";
  if (argc == 2 && std::string_view(argv[1]).substr(0, kWire.size()) == kWire) {
    setenv("EFL_TEST_WIRE", argv[1] + kWire.size(), 1);
    argc = 1;
  }
  if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr) != 1) return 1;
  if (argc == 4 && std::string(argv[1]) == efl::test::Child::kArgument) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    efl::test::ChildProgram::All().at(argv[2])(std::atoi(argv[3]));
    return AfterGrpc(testing::UnitTest::GetInstance()->Failed() ? 1 : 0);
  }
  if (argc > 1) {
    std::fprintf(stderr, "'%s'?\n", argv[1]);
    return 2;
  }
  return AfterGrpc(RUN_ALL_TESTS());
}
