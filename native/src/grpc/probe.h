// Why a peer can't be reached, when the reason is TLS: gRPC's error text doesn't say, or not to a
// user.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "grpc/tls_files.h"

namespace efl {

// Dials the address by hand as a gRPC client with these settings would, and looks at what happens.
class Prober {
 public:
  Prober(std::string address, TlsFilesPtr tls);
  // Stops.
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // Takes up to about three seconds on a thread of its own, where `told` runs: UNAUTHENTICATED says
  // what is wrong with the certificates or who speaks TLS to whom; OK: no such reason was found.
  void Run(std::function<void(const Status&)> told);

  // Nothing is told any more when this returns, which is soon, and no thread of this touches
  // OpenSSL, which a process that exits takes down. A name may still be being resolved.
  void Stop();

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace efl
