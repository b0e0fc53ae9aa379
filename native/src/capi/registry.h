// Peers by name, for those who only have the name: TensorFlow ops.
#pragma once

#include <memory>
#include <string>

#include "communicator/peer.h"

namespace efl {

// From now on the one that is found by this name; ALREADY_EXISTS when another peer of this name is
// alive and has not been closed.
Status RegisterPeer(const std::string& name, const std::shared_ptr<Peer>& peer);
std::shared_ptr<Peer> FindPeer(const std::string& name);

}  // namespace efl
