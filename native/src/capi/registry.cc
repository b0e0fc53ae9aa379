#include "capi/registry.h"

#include <mutex>
#include <unordered_map>

namespace efl {
namespace {

struct Registry {
  std::mutex mutex;
  std::unordered_map<std::string, std::weak_ptr<Peer>> peers;
};

// Never destroyed: ops may still look for their peer while the process exits.
Registry& TheRegistry() {
  static Registry& registry = *new Registry;
  return registry;
}

}  // namespace

bool NameIsFree(const std::string& name) {
  const std::shared_ptr<Peer> peer = FindPeer(name);
  return peer == nullptr || peer->closed();
}

void RegisterPeer(const std::string& name, const std::shared_ptr<Peer>& peer) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  registry.peers[name] = peer;
}

std::shared_ptr<Peer> FindPeer(const std::string& name) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  const auto at = registry.peers.find(name);
  if (at == registry.peers.end()) return nullptr;
  std::shared_ptr<Peer> peer = at->second.lock();
  if (peer == nullptr) registry.peers.erase(at);
  return peer;
}

}  // namespace efl
