#include <csignal>

#include "args.h"
#include "efl_cpp.h"
#include "grpc_cpp.h"
#include "process.h"
#include "proxy.h"
#include "tcp.h"

namespace efl::bench {
namespace {

void Serve(const Args& args) {
  EndWithStdin();
  if (args.system == "tcp") return ServeTcp(args);
  if (args.system == "grpc-cpp") return ServeGrpc(args);
  ServeEfl(args);
}

void Drive(const Args& args) {
  if (args.system == "tcp") return DriveTcp(args);
  if (args.system == "grpc-cpp") return DriveGrpc(args);
  DriveEfl(args);
}

void Main(const Args& args) {
  std::signal(SIGPIPE, SIG_IGN);
  if (args.command == "proxy") {
    EndWithStdin();
    return RunProxy(args);
  }
  if (args.tuned_malloc) TuneMalloc();
  StartLimit(args.limit_s);
  args.serving() ? Serve(args) : Drive(args);
}

}  // namespace
}  // namespace efl::bench

int main(int argc, char** argv) {
  efl::bench::Main(efl::bench::ParseArgs(argc, argv));
  return 0;
}
