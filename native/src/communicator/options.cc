#include "communicator/options.h"

#include <charconv>
#include <cstdlib>
#include <functional>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/buffer_pool.h"

namespace efl {
namespace {

// How one key is set. Text fields take anything; numbers have a range.
struct Field {
  const char* key;
  const char* environment;  // nullptr: not from the environment
  std::string& (*text)(Options&);
  int64_t& (*number)(Options&);
  int64_t least;
  int64_t most;
};

constexpr int64_t kMaxInt = std::numeric_limits<int32_t>::max();

#define EFL_TEXT(key, field, environment)                                               \
  Field {                                                                               \
    key, environment, [](Options& o) -> std::string& { return o.field; }, nullptr, 0, 0 \
  }
#define EFL_NUMBER(key, environment, least, most)                                          \
  Field {                                                                                  \
#key, environment, nullptr, [](Options & o) -> int64_t& { return o.key; }, least, most \
  }

const Field kFields[] = {
    EFL_TEXT("listen_address", listen_address, nullptr),
    EFL_TEXT("party_id", party_id, nullptr),
    EFL_TEXT("name", name, nullptr),
    EFL_TEXT("peer_address", peer_address, nullptr),
    EFL_TEXT("my_certs_file", tls.my_certs_file, "EFL_MY_CERTS_FILENAME"),
    EFL_TEXT("my_key_file", tls.my_key_file, "EFL_MY_KEY_FILENAME"),
    EFL_TEXT("peer_certs_file", tls.peer_certs_file, "EFL_PEER_CERTS_FILENAME"),
    EFL_TEXT("ssl_target_name_override", tls.target_name_override, "EFL_SSL_TARGET_NAME_OVERRIDE"),
    EFL_TEXT("egress_policy", egress_policy, "EFL_EGRESS_POLICY"),
    EFL_TEXT("audit_log", audit_log, "EFL_AUDIT_LOG"),
    EFL_TEXT("ssl_peer_name", tls.peer_name, "EFL_SSL_PEER_NAME"),
    EFL_TEXT("ssl_allowed_fingerprints_file", tls.allowed_fingerprints_file,
             "EFL_SSL_ALLOWED_FINGERPRINTS_FILENAME"),
    EFL_NUMBER(server_thread_num, nullptr, 1, 256),
    EFL_NUMBER(client_thread_num, nullptr, 1, 256),
    EFL_NUMBER(scanning_interval_ms, nullptr, 1, kMaxInt),
    EFL_NUMBER(default_timeout_ms, nullptr, 1, kMaxInt),
    EFL_NUMBER(reconnect_timeout_ms, "EFL_RECONNECT_TIMEOUT_MS", 0, kMaxInt),
    EFL_NUMBER(keepalive_interval_ms, "EFL_KEEPALIVE_INTERVAL_MS", 0, kMaxInt),
    EFL_NUMBER(keepalive_timeout_ms, "EFL_KEEPALIVE_TIMEOUT_MS", 1, kMaxInt),
    EFL_NUMBER(max_pending, "EFL_MAX_PENDING", 1, kMaxInt),
    EFL_NUMBER(max_tensor_bytes, "EFL_MAX_TENSOR_BYTES", 0, int64_t{1} << 47),
    EFL_NUMBER(max_streams, "EFL_MAX_STREAMS", 1, kMaxInt),
    EFL_NUMBER(server_memory_bytes, "EFL_SERVER_MEMORY_BYTES", 0, int64_t{1} << 47),
    EFL_NUMBER(mailbox_bytes, "EFL_MAILBOX_BYTES", 0, std::numeric_limits<int64_t>::max()),
    EFL_TEXT("job_id", job_id, nullptr),
    EFL_NUMBER(worker_index, nullptr, 0, kMaxInt),
    EFL_NUMBER(worker_count, nullptr, 0, kMaxInt),
    EFL_NUMBER(window_bytes, "EFL_WINDOW_BYTES", 1 << 20, int64_t{1} << 40),
    EFL_NUMBER(chunk_bytes, "EFL_CHUNK_BYTES", 1 << 10, 1 << 20),
    EFL_NUMBER(connections, "EFL_CONNECTIONS", 0, 64),
    EFL_NUMBER(server_max_send_message_size, "EFL_SERVER_MAX_SEND_MESSAGE_SIZE", 1, kMaxInt),
    EFL_NUMBER(server_max_receive_message_size, "EFL_SERVER_MAX_RECEIVE_MESSAGE_SIZE", 1, kMaxInt),
    EFL_NUMBER(client_max_send_message_size, "EFL_CLIENT_MAX_SEND_MESSAGE_SIZE", 1, kMaxInt),
    EFL_NUMBER(client_max_receive_message_size, "EFL_CLIENT_MAX_RECEIVE_MESSAGE_SIZE", 1, kMaxInt),
};

#undef EFL_TEXT
#undef EFL_NUMBER

Status Invalid(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Status SetNumber(const Field& field, const std::string& said, const std::string& value,
                 Options* options) {
  int64_t number = 0;
  const char* end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || at != end || number < field.least || number > field.most) {
    return Invalid(absl::StrCat(said, "='", value, "': expected a whole number from ", field.least,
                                " to ", field.most));
  }
  field.number(*options) = number;
  return {};
}

// A key with a few words for values.
struct Choice {
  const char* key;
  const char* environment;  // nullptr: not from the environment
  struct Value {
    const char* text;
    void (*choose)(Options&);
  };
  std::vector<Value> values;  // the last one may be "", which isn't said to the user
};

const std::vector<Choice>& Choices() {
  using O = Options&;
  static const auto& choices = *new std::vector<Choice>{
      {"role",
       nullptr,
       {{"leader", [](O o) { o.role = Role::kLeader; }},
        {"follower", [](O o) { o.role = Role::kFollower; }}}},
      {"ssl_client_auth",
       "EFL_SSL_CLIENT_AUTH",
       {{"require", [](O o) { o.tls.client_auth = ClientAuth::kRequire; }},
        {"request", [](O o) { o.tls.client_auth = ClientAuth::kRequest; }},
        {"none", [](O o) { o.tls.client_auth = ClientAuth::kNone; }},
        {"", [](O o) { o.tls.client_auth = ClientAuth::kByPeerCerts; }}}},
      {"ssl_min_version",
       "EFL_SSL_MIN_VERSION",
       {{"1.2", [](O o) { o.tls.min_version = TlsVersion::k12; }},
        {"1.3", [](O o) { o.tls.min_version = TlsVersion::k13; }}}},
      {"plaintext",
       "EFL_PLAINTEXT",
       {{"loopback", [](O o) { o.tls.plaintext = Plaintext::kLoopback; }},
        {"allow", [](O o) { o.tls.plaintext = Plaintext::kAllow; }},
        {"never", [](O o) { o.tls.plaintext = Plaintext::kNever; }}}},
      {"wire",
       "EFL_WIRE",
       {{"auto", [](O o) { o.wire = WireChoice::kAuto; }},
        {"link", [](O o) { o.wire = WireChoice::kLink; }},
        {"trainer", [](O o) { o.wire = WireChoice::kTrainer; }}}},
      {"send_completion",
       "EFL_SEND_COMPLETION",
       {{"accepted", [](O o) { o.send_completion = SendCompletion::kAccepted; }},
        {"consumed", [](O o) { o.send_completion = SendCompletion::kConsumed; }}}},
  };
  return choices;
}

// `said`: how the user knows the setting, the key or the environment variable.
Status SetChoice(const Choice& choice, const std::string& said, const std::string& value,
                 Options* options) {
  std::string expected;
  for (size_t i = 0; i < choice.values.size(); ++i) {
    const Choice::Value& one = choice.values[i];
    if (value == one.text) {
      one.choose(*options);
      return {};
    }
    if (*one.text == '\0') continue;
    const bool last = i + 1 == choice.values.size() || *choice.values[i + 1].text == '\0';
    absl::StrAppend(&expected, i == 0 ? "" : last ? " or " : ", ", one.text);
  }
  return Invalid(absl::StrCat(said, "='", value, "': expected ", expected));
}

Status SetEncodings(const std::string& said, const std::string& value, Options* options) {
  const Status status = EncodingRules::Parse(value, &options->encodings);
  if (status.ok()) return status;
  return Invalid(absl::StrCat(said, ": ", status.message()));
}

Status SetField(const Field& field, const std::string& said, const std::string& value,
                Options* options) {
  if (field.number != nullptr) return SetNumber(field, said, value, options);
  field.text(*options) = value;
  return {};
}

// host:port, the port a number from least_port to 65535. IPv6 addresses stand in brackets.
Status CheckAddress(const char* key, const std::string& address, int least_port) {
  const size_t colon = address.rfind(':');
  const bool bracketed = !address.empty() && address[0] == '[';
  int port = -1;
  if (colon != std::string::npos && colon > 0) {
    const char* end = address.data() + address.size();
    const auto [at, error] = std::from_chars(address.data() + colon + 1, end, port);
    if (error != std::errc() || at != end) port = -1;
  }
  const bool one_host = bracketed ? colon != std::string::npos && address[colon - 1] == ']'
                                  : address.find(':') == colon;
  if (!one_host || port < least_port || port > 65535) {
    return Invalid(absl::StrCat(key, "='", address, "': expected host:port with a port from ",
                                least_port, " to 65535, such as localhost:50051 or [::1]:50051"));
  }
  return {};
}

}  // namespace

const char* RoleName(Role role) { return role == Role::kLeader ? "leader" : "follower"; }

Status Options::Set(const std::string& key, const std::string& value) {
  if (key == "encodings") return SetEncodings(key, value, this);
  for (const Choice& choice : Choices()) {
    if (key == choice.key) return SetChoice(choice, key, value, this);
  }
  for (const Field& field : kFields) {
    if (key == field.key) return SetField(field, key, value, this);
  }
  return Invalid(absl::StrCat("there is no option '", key, "'"));
}

Status Options::SetFromEnvironment() {
  const auto set = [](const char* variable, const auto& apply) -> Status {
    const char* value = variable == nullptr ? nullptr : std::getenv(variable);
    return value == nullptr || *value == '\0' ? Status() : apply(variable, value);
  };
  Status status = set("EFL_ENCODINGS", [this](const char* variable, const char* value) {
    return SetEncodings(variable, value, this);
  });
  // The process's, not a node's: it is only looked at here.
  if (!status.ok()) return status;
  status = set(BufferPool::kVariable, [](const char* variable, const char* value) {
    return BufferPool::Read(value).has_value()
               ? Status()
               : Invalid(absl::StrCat(variable, "='", value,
                                      "': expected a whole number from 0 to ", BufferPool::kMost));
  });
  for (const Choice& choice : Choices()) {
    if (!status.ok()) return status;
    status = set(choice.environment, [&](const char* variable, const char* value) {
      return SetChoice(choice, variable, value, this);
    });
  }
  for (const Field& field : kFields) {
    if (!status.ok()) return status;
    status = set(field.environment, [&](const char* variable, const char* value) {
      return SetField(field, variable, value, this);
    });
  }
  return status;
}

Status Options::CheckNode() const {
  return listen_address.empty() ? Status() : CheckAddress("listen_address", listen_address, 0);
}

Status Options::CheckPeer(bool listens) const {
  if (peer_address.empty() && !listens) {
    return Invalid(
        "listen_address and peer_address are empty: one of the two parties has to be reached");
  }
  if (wire == WireChoice::kTrainer && (peer_address.empty() || !listens)) {
    return Invalid(absl::StrCat(peer_address.empty() ? "peer_address" : "listen_address",
                                " is empty: with wire=trainer both parties listen and dial"));
  }
  if (worker_count > 0 && worker_index >= worker_count) {
    return Invalid(absl::StrCat("worker_index=", worker_index,
                                ": expected less than worker_count=", worker_count));
  }
  return peer_address.empty() ? Status() : CheckAddress("peer_address", peer_address, 1);
}

}  // namespace efl
