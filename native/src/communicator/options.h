// What configures a node and a peer: set by key, from text, checked when set.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "grpc/tls.h"
#include "wire/link/encoding.h"

namespace efl {

enum class Role { kLeader, kFollower };

const char* RoleName(Role role);

// Which wire carries the tensors. kAuto: link where both parties speak it, otherwise trainer.
enum class WireChoice { kAuto, kLink, kTrainer };

// When a send ends: the peer holds all of the tensor, or one of its receives has taken it. The
// trainer wire knows the second alone.
enum class SendCompletion { kAccepted, kConsumed };

struct Options {
  static constexpr int64_t kGiB = int64_t{1} << 30;
  // Room for two of the largest messages, beside the mailbox.
  static constexpr int64_t kByTheMailbox = -1;

  // The node.
  std::string listen_address;
  std::string party_id;
  int64_t server_thread_num = 1;
  int64_t scanning_interval_ms = 30'000;
  int64_t server_max_send_message_size = kGiB;
  int64_t server_max_receive_message_size = kGiB;
  int64_t server_memory_bytes = kByTheMailbox;
  int64_t max_streams = 4096;
  TlsOptions tls;
  std::string egress_policy;  // files; empty: none
  std::string audit_log;

  // The peer.
  std::string name;
  Role role = Role::kLeader;
  std::string peer_address;
  int64_t client_thread_num = 1;
  int64_t default_timeout_ms = 600'000;
  int64_t reconnect_timeout_ms = 20'000;
  int64_t keepalive_interval_ms = 400;
  int64_t keepalive_timeout_ms = 6'000;
  int64_t max_pending = 1 << 20;
  int64_t max_tensor_bytes = 16 * kGiB;
  int64_t client_max_send_message_size = kGiB;
  int64_t client_max_receive_message_size = kGiB;
  int64_t mailbox_bytes = kGiB;
  WireChoice wire = WireChoice::kAuto;
  SendCompletion send_completion = SendCompletion::kAccepted;
  std::string job_id;
  int64_t worker_index = 0;
  int64_t worker_count = 0;
  int64_t window_bytes = 256 << 20;
  int64_t chunk_bytes = 1 << 20;
  int64_t connections = 0;
  EncodingRules encodings;

  Status Set(const std::string& key, const std::string& value);
  // The EFL_* variables that are set and not empty.
  Status SetFromEnvironment();

  // What can only be judged together.
  Status CheckNode() const;
  Status CheckPeer(bool listens) const;
};

}  // namespace efl
