// What configures a node and a peer: set by key, from text, checked when set.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "grpc/tls.h"

namespace efl {

enum class Role { kLeader, kFollower };

const char* RoleName(Role role);

struct Options {
  static constexpr int64_t kGiB = int64_t{1} << 30;

  // The node.
  std::string listen_address;
  std::string party_id;
  int64_t server_thread_num = 1;
  int64_t scanning_interval_ms = 30'000;
  int64_t server_max_send_message_size = kGiB;
  int64_t server_max_receive_message_size = kGiB;
  TlsOptions tls;

  // The peer.
  std::string name;
  Role role = Role::kLeader;
  std::string peer_address;
  int64_t client_thread_num = 1;
  int64_t default_timeout_ms = 600'000;
  int64_t reconnect_timeout_ms = 10'000;
  int64_t client_max_send_message_size = kGiB;
  int64_t client_max_receive_message_size = kGiB;
  int64_t mailbox_bytes = kGiB;

  Status Set(const std::string& key, const std::string& value);
  // The EFL_* variables that are set and not empty.
  Status SetFromEnvironment();

  // What can only be judged together.
  Status CheckNode() const;
  Status CheckPeer() const;
};

}  // namespace efl
