// One party: a listening server, a Monitor, its peers, and the order in which all of it goes away.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "communicator/monitor.h"
#include "communicator/options.h"
#include "communicator/peer.h"
#include "communicator/watch.h"
#include "governance/governance.h"
#include "grpc/server.h"

namespace efl {

class Node final : public std::enable_shared_from_this<Node> {
 public:
  // Listens before it returns; null and the reason when it can't.
  static std::shared_ptr<Node> Open(const Options& options, Status* status);
  // Close first.
  ~Node();

  // Null and the reason when it can't. The `trainer` wire doesn't say who calls, so a node that
  // speaks it has one peer.
  // `admit`, if any, has the last word.
  using Admit = std::function<Status(const std::shared_ptr<Peer>&)>;
  std::shared_ptr<Peer> AddPeer(const Options& options, Status* status,
                                const Admit& admit = nullptr);

  // 0: it doesn't listen.
  int port() const { return server_.port(); }

  // DESIGN.md, Shutdown. Idempotent; returns when all is gone, or at once inside the kernel.
  void Close();

 private:
  Node(const Options& options, TlsFilesPtr tls, std::shared_ptr<Governance> governance);

  std::shared_ptr<Peer> ThePeer() const;
  // Whether a peer may be added; under the lock.
  Status CheckRoom() const;
  void FinishClose();
  // For these options; shared where they are those of the node.
  TlsFilesPtr FilesFor(const TlsOptions& options, Status* status) const;
  // Looks after these from now on, where TLS is on.
  void WatchTls(const TlsFiles& files);
  // On the watch's thread.
  void RefreshTls();

  const Options options_;
  const TlsFilesPtr tls_;
  const uint64_t incarnation_;
  const std::shared_ptr<Monitor> monitor_;
  const std::shared_ptr<Governance> governance_;
  Server server_;
  std::unique_ptr<grpc::Service> trainer_service_;
  std::unique_ptr<grpc::Service> pair_service_;
  std::unique_ptr<grpc::Service> link_service_;

  mutable std::mutex mutex_;
  std::condition_variable closed_changed_;
  std::vector<std::shared_ptr<Peer>> peers_;
  bool closing_ = false;
  bool closed_ = false;
  Watch tls_watch_;
};

}  // namespace efl
