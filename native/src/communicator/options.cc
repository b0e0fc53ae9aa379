#include "communicator/options.h"

#include <charconv>
#include <cstdlib>
#include <functional>
#include <limits>

#include "absl/strings/str_cat.h"

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
    EFL_NUMBER(server_thread_num, nullptr, 1, 256),
    EFL_NUMBER(client_thread_num, nullptr, 1, 256),
    EFL_NUMBER(scanning_interval_ms, nullptr, 1, kMaxInt),
    EFL_NUMBER(default_timeout_ms, nullptr, 1, kMaxInt),
    EFL_NUMBER(reconnect_timeout_ms, nullptr, 0, kMaxInt),
    EFL_NUMBER(mailbox_bytes, nullptr, 0, std::numeric_limits<int64_t>::max()),
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

Status SetRole(const std::string& value, Options* options) {
  if (value == "leader") {
    options->role = Role::kLeader;
  } else if (value == "follower") {
    options->role = Role::kFollower;
  } else {
    return Invalid(absl::StrCat("role='", value, "': expected leader or follower"));
  }
  return {};
}

// `said`: how the user knows the setting, the key or the environment variable.
Status SetClientAuth(const std::string& said, const std::string& value, Options* options) {
  if (value.empty()) {
    options->tls.client_auth = ClientAuth::kByPeerCerts;
  } else if (value == "require") {
    options->tls.client_auth = ClientAuth::kRequire;
  } else if (value == "request") {
    options->tls.client_auth = ClientAuth::kRequest;
  } else if (value == "none") {
    options->tls.client_auth = ClientAuth::kNone;
  } else {
    return Invalid(absl::StrCat(said, "='", value, "': expected require, request or none"));
  }
  return {};
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
  if (key == "role") return SetRole(value, this);
  if (key == "ssl_client_auth") return SetClientAuth(key, value, this);
  for (const Field& field : kFields) {
    if (key == field.key) return SetField(field, key, value, this);
  }
  return Invalid(absl::StrCat("there is no option '", key, "'"));
}

Status Options::SetFromEnvironment() {
  for (const Field& field : kFields) {
    if (field.environment == nullptr) continue;
    const char* value = std::getenv(field.environment);
    if (value == nullptr || *value == '\0') continue;
    if (Status status = SetField(field, field.environment, value, this); !status.ok()) {
      return status;
    }
  }
  const char* auth = std::getenv("EFL_SSL_CLIENT_AUTH");
  return auth == nullptr ? Status() : SetClientAuth("EFL_SSL_CLIENT_AUTH", auth, this);
}

Status Options::CheckNode() const {
  if (listen_address.empty()) {
    return Invalid("listen_address is empty: the peer has to reach this party at a host:port");
  }
  return CheckAddress("listen_address", listen_address, 0);
}

Status Options::CheckPeer() const {
  if (peer_address.empty()) {
    return Invalid("peer_address is empty: this party has to reach its peer at a host:port");
  }
  return CheckAddress("peer_address", peer_address, 1);
}

}  // namespace efl
