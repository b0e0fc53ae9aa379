#include "proxy.h"

#include <system_error>

#include "faults/fault_proxy.h"
#include "process.h"

namespace efl::bench {

void RunProxy(const Args& args) {
  faults::FaultProxy::Options options;
  options.listen_port = args.listen;
  options.target_port = args.to;
  options.line.delay_ns = static_cast<int64_t>(args.delay_ms * 1e6);
  options.line.capacity = args.queue_mib << 20;
  try {
    faults::FaultProxy proxy(options);
    PrintReady();
    proxy.Run();
  } catch (const std::system_error& error) {
    Die(error.what());
  }
}

}  // namespace efl::bench
