#include "capi/registry.h"

#include <mutex>
#include <unordered_map>

#include "absl/strings/str_cat.h"

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

Status RegisterPeer(const std::string& name, const std::shared_ptr<Peer>& peer) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  std::weak_ptr<Peer>& entry = registry.peers[name];
  const std::shared_ptr<Peer> before = entry.lock();
  if (before != nullptr && !before->closed()) {
    return {Code::kAlreadyExists,
            absl::StrCat("this process has a peer named '", name, "' already")};
  }
  entry = peer;
  return {};
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
