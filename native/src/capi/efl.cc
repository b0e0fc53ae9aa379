// The C ABI: translates, and nothing else.
#include "efl/efl.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/buffer_pool.h"
#include "base/log.h"
#include "base/status.h"
#include "capi/registry.h"
#include "communicator/node.h"

struct efl_status {
  efl::Status status;
  mutable std::string text;
};

struct efl_options {
  efl::Options options;
};

struct efl_node {
  std::shared_ptr<efl::Node> node;
};

struct efl_peer {
  std::shared_ptr<efl::Peer> peer;
};

namespace {

std::string Text(const char* text) { return text != nullptr ? text : ""; }

void Set(efl_status* out, efl::Status status) {
  if (out == nullptr) return;
  out->status = std::move(status);
  out->text = out->status.Text();
}

efl::Peer::Call CallOf(const efl_call* call) {
  efl::Peer::Call out;
  out.group = call->group;
  out.timeout_ms = call->timeout_ms;
  out.done = [done = call->done, token = call->token](const efl::Status& status,
                                                      const efl::Outcome& outcome) {
    efl_status said;
    Set(&said, status);
    const efl_result result{outcome.text.c_str(), outcome.text.size(), outcome.index};
    done(token, &said, &result);
  };
  return out;
}

// The peer for one call: a callback in it may give the handle back.
std::shared_ptr<efl::Peer> Held(const efl_peer* handle) { return handle->peer; }

}  // namespace

extern "C" {

efl_status* efl_status_create(void) {
  auto* status = new efl_status;
  Set(status, {});
  return status;
}
void efl_status_free(efl_status* status) { delete status; }
int32_t efl_status_code(const efl_status* status) {
  return static_cast<int32_t>(status->status.code());
}
const char* efl_status_message(const efl_status* status) {
  return status->status.message().c_str();
}
const char* efl_status_operation(const efl_status* status) {
  return status->status.subject().operation.c_str();
}
const char* efl_status_name(const efl_status* status) {
  return status->status.subject().name.c_str();
}
int64_t efl_status_step(const efl_status* status) { return status->status.subject().step; }
const char* efl_status_peer(const efl_status* status) {
  return status->status.subject().peer.c_str();
}
const char* efl_status_text(const efl_status* status) { return status->text.c_str(); }

efl_options* efl_options_create(void) { return new efl_options; }
void efl_options_free(efl_options* options) { delete options; }
void efl_options_set(efl_options* options, const char* key, const char* value, efl_status* status) {
  Set(status, options->options.Set(Text(key), Text(value)));
}
void efl_options_set_from_environment(efl_options* options, efl_status* status) {
  Set(status, options->options.SetFromEnvironment());
}

efl_node* efl_node_create(const efl_options* options, efl_status* status) {
  efl::Status outcome;
  auto node = efl::Node::Open(options->options, &outcome);
  Set(status, outcome);
  return node != nullptr ? new efl_node{std::move(node)} : nullptr;
}
int32_t efl_node_port(const efl_node* node) { return node->node->port(); }
void efl_node_close(efl_node* node) {
  const auto held = node->node;  // a callback in it may free the handle
  held->Close();
}
void efl_node_free(efl_node* node) {
  if (node == nullptr) return;
  node->node->Close();
  delete node;
}

efl_peer* efl_node_add_peer(efl_node* node, const efl_options* options, efl_status* status) {
  efl::Status outcome;
  const std::string& name = options->options.name;
  auto peer = node->node->AddPeer(options->options, &outcome, [&](const auto& made) {
    return name.empty() ? efl::Status() : efl::RegisterPeer(name, made);
  });
  Set(status, outcome);
  return outcome.ok() ? new efl_peer{std::move(peer)} : nullptr;
}
efl_peer* efl_peer_find(const char* name, efl_status* status) {
  auto peer = efl::FindPeer(Text(name));
  if (peer == nullptr) {
    Set(status,
        {efl::Code::kNotFound, absl::StrCat("this process has no peer named '", Text(name), "'")});
    return nullptr;
  }
  Set(status, {});
  return new efl_peer{std::move(peer)};
}
void efl_peer_release(efl_peer* peer) { delete peer; }

void efl_peer_close(efl_peer* peer) { Held(peer)->CloseNode(); }
int32_t efl_peer_is_efls(const efl_peer* peer) { return Held(peer)->is_efls() ? 1 : 0; }
const char* efl_peer_wire(const efl_peer* peer) { return Held(peer)->wire(); }
uint64_t efl_peer_add_state_listener(efl_peer* peer, efl_state_fn listener, void* token) {
  return Held(peer)->AddListener([listener, token](const efl::PeerStanding& standing) {
    efl_status cause;
    Set(&cause, standing.cause);
    listener(token, static_cast<int32_t>(standing.state), standing.since_ms, &cause);
  });
}
void efl_peer_remove_state_listener(efl_peer* peer, uint64_t listener) {
  Held(peer)->RemoveListener(listener);
}
void efl_peer_read_stats(const efl_peer* peer, efl_peer_stats* stats) {
  const efl::PeerStats now = Held(peer)->stats();
  *stats = {static_cast<int32_t>(now.standing.state),
            now.standing.since_ms,
            now.tensors_sent,
            now.tensors_received,
            now.bytes_sent,
            now.bytes_received,
            now.pending,
            now.in_flight_bytes,
            now.parked_tensors,
            now.parked_bytes,
            now.reconnects,
            now.retransmitted_bytes,
            now.checksum_failures,
            now.round_trip_us};
}
int64_t efl_peer_pending(const efl_peer* peer) { return Held(peer)->pending(); }
int64_t efl_peer_step(const efl_peer* peer) { return Held(peer)->step(); }
int64_t efl_peer_add_step(efl_peer* peer) { return Held(peer)->AddStep(); }
void efl_peer_reset_step(efl_peer* peer) { Held(peer)->ResetStep(); }

void efl_peer_register_tensor(efl_peer* peer, const char* name, int32_t dtype, int32_t rank,
                              const int64_t* dims, efl_status* status) {
  std::optional<std::vector<int64_t>> shape;
  if (rank >= 0) shape.emplace(dims, dims + rank);
  Set(status, Held(peer)->RegisterTensor(Text(name), dtype, shape));
}
void efl_peer_register_dataset(efl_peer* peer, const char* name, efl_status* status) {
  Set(status, Held(peer)->RegisterDataset(Text(name)));
}

void efl_peer_connect(efl_peer* peer, const efl_call* call) { Held(peer)->Connect(CallOf(call)); }

void efl_peer_send_tensor(efl_peer* peer, const efl_tensor* tensor, const efl_call* call) {
  efl::OutgoingTensor out;
  out.info = {Text(tensor->name), tensor->step, tensor->dtype,
              std::vector<int64_t>(tensor->dims, tensor->dims + tensor->rank), tensor->size};
  out.payload = {tensor->data, tensor->size, tensor->release, tensor->release_token};
  Held(peer)->SendTensor(std::move(out), CallOf(call));
}

void efl_peer_receive_tensor(efl_peer* peer, const char* name, int64_t step,
                             efl_allocate_fn allocate, const efl_call* call) {
  const auto place = [allocate, token = call->token](const efl::TensorInfo& info) {
    const efl_tensor tensor{info.name.c_str(),
                            info.step,
                            info.dtype,
                            static_cast<int32_t>(info.dims.size()),
                            info.dims.data(),
                            nullptr,
                            info.size,
                            nullptr,
                            nullptr};
    return allocate(token, &tensor);
  };
  Held(peer)->ReceiveTensor(Text(name), step, place, CallOf(call));
}

void efl_peer_send_reader_state(efl_peer* peer, const char* dataset, const char* block_id,
                                int64_t sample_index, const efl_call* call) {
  Held(peer)->SendReaderState(Text(dataset), Text(block_id), sample_index, CallOf(call));
}
void efl_peer_receive_reader_state(efl_peer* peer, const char* dataset, const efl_call* call) {
  Held(peer)->ReceiveReaderState(Text(dataset), CallOf(call));
}
void efl_peer_terminate_reader(efl_peer* peer, const char* dataset, const efl_call* call) {
  Held(peer)->TerminateReader(Text(dataset), CallOf(call));
}
void efl_peer_send_checkpoint_version(efl_peer* peer, const char* version, const efl_call* call) {
  Held(peer)->SendCheckpointVersion(Text(version), CallOf(call));
}
void efl_peer_receive_checkpoint_version(efl_peer* peer, const efl_call* call) {
  Held(peer)->ReceiveCheckpointVersion(CallOf(call));
}
void efl_peer_fail_group(efl_peer* peer, uint64_t group, const char* reason) {
  Held(peer)->FailGroup(group, Text(reason));
}

void* efl_buffer_allocate(size_t size) { return efl::BufferPool::Global().Allocate(size); }
void efl_buffer_free(void* buffer) {
  if (buffer != nullptr) efl::BufferPool::Global().Free(buffer);
}

void efl_log_set(efl_log_fn log, void* token, int32_t min_level) {
  efl::LogSink sink;
  if (log != nullptr) {
    sink = [log, token](efl::LogLevel level, const std::string& message) {
      log(token, static_cast<int32_t>(level), message.c_str());
    };
  }
  efl::SetLog(std::move(sink), static_cast<efl::LogLevel>(min_level));
}

const char* efl_version(void) { return EFL_VERSION; }

}  // extern "C"
