#include "efl_party.h"

#include <atomic>
#include <utility>

namespace efl::bench {
namespace {

constexpr int32_t kFloat = 1;
constexpr const char* kVerdict = "verdict";
// Of the trainer wire's messages, which have to hold a tensor as a whole.
constexpr size_t kDefaultMessageSize = size_t{1} << 30;
constexpr const char* kMessageSizes[] = {
    "server_max_send_message_size", "server_max_receive_message_size",
    "client_max_send_message_size", "client_max_receive_message_size"};

class StatusPtr {
 public:
  ~StatusPtr() { efl_status_free(status_); }
  efl_status* get() const { return status_; }
  void Check(const std::string& what) const {
    if (efl_status_code(status_) != EFL_OK) Die(what + ": " + efl_status_text(status_));
  }

 private:
  efl_status* status_ = efl_status_create();
};

void DieUnlessOk(const efl_status* status) {
  if (efl_status_code(status) != EFL_OK) Die(efl_status_text(status));
}

void Set(efl_options* options, const std::string& key, const std::string& value) {
  StatusPtr status;
  efl_options_set(options, key.c_str(), value.c_str(), status.get());
  status.Check(key);
}

efl_options* MakeOptions(const Args& args) {
  efl_options* options = efl_options_create();
  const int other = args.serving() ? args.peer_port : args.port;
  const int dial = args.dial_port != 0 ? args.dial_port : other;
  Set(options, "listen_address",
      "localhost:" + std::to_string(args.serving() ? args.port : args.peer_port));
  Set(options, "peer_address", "localhost:" + std::to_string(dial));
  Set(options, "role", args.serving() ? "leader" : "follower");
  if (!args.tls.empty()) {
    const std::string mine = args.tls + (args.serving() ? "/leader" : "/follower");
    Set(options, "my_certs_file", mine + ".crt");
    Set(options, "my_key_file", mine + ".key");
    Set(options, "peer_certs_file", args.tls + "/ca.crt");
  }
  if (args.bytes >= kDefaultMessageSize) {
    // Not every wire has them.
    for (const char* key : kMessageSizes) efl_options_set(options, key, "2147483647", nullptr);
  }
  for (const auto& [key, value] : args.options) Set(options, key, value);
  return options;
}

// Deletes itself when both its ends have come.
struct Outgoing {
  std::function<void()> finished;
  bool must_succeed;
  std::atomic<int> left{2};

  void End() {
    if (left.fetch_sub(1) != 1) return;
    finished();
    delete this;
  }
  static void OnReleased(void* token) { static_cast<Outgoing*>(token)->End(); }
  static void OnDone(void* token, const efl_status* status, const efl_result*) {
    auto* self = static_cast<Outgoing*>(token);
    if (self->must_succeed) DieUnlessOk(status);
    self->End();
  }
};

struct Incoming {
  std::function<uint8_t*(size_t)> allocate;
  std::function<void()> done;

  static void* OnAllocate(void* token, const efl_tensor* tensor) {
    return static_cast<Incoming*>(token)->allocate(tensor->size);
  }
  static void OnDone(void* token, const efl_status* status, const efl_result*) {
    const std::unique_ptr<Incoming> self(static_cast<Incoming*>(token));
    DieUnlessOk(status);
    Progress();
    self->done();
  }
};

void OnConnected(void* token, const efl_status* status, const efl_result*) {
  DieUnlessOk(status);
  static_cast<Counter*>(token)->Add();
}

}  // namespace

Party::Party(const Args& args) : options_(MakeOptions(args)) {
  StatusPtr status;
  node_ = efl_node_create(options_, status.get());
  status.Check("listen");
  peer_ = efl_node_add_peer(node_, options_, status.get());
  status.Check("add peer");
  Register(kVerdict);
}

Party::~Party() {
  efl_peer_release(peer_);
  efl_node_free(node_);
  efl_options_free(options_);
}

void Party::Register(const std::string& name) {
  StatusPtr status;
  efl_peer_register_tensor(peer_, name.c_str(), kFloat, -1, nullptr, status.get());
  status.Check("register");
}

void Party::Connect() {
  Counter connected;
  const efl_call call = {0, -1, &OnConnected, &connected};
  efl_peer_connect(peer_, &call);
  connected.AwaitAtLeast(1);
  Progress();
}

void Party::Send(const std::string& name, int64_t step, const uint8_t* data, size_t size,
                 std::function<void()> finished) {
  SendAny(name, step, data, size, std::move(finished), true);
}

void Party::SendAny(const std::string& name, int64_t step, const void* data, size_t size,
                    std::function<void()> finished, bool must_succeed) {
  auto* outgoing = new Outgoing{std::move(finished), must_succeed};
  const auto dim = static_cast<int64_t>(size / sizeof(float));
  const efl_tensor tensor = {name.c_str(),          step,    kFloat, 1, &dim, data, size,
                             &Outgoing::OnReleased, outgoing};
  const efl_call call = {0, -1, &Outgoing::OnDone, outgoing};
  efl_peer_send_tensor(peer_, &tensor, &call);
}

void Party::Receive(const std::string& name, int64_t step, std::function<uint8_t*(size_t)> allocate,
                    std::function<void()> done) {
  auto* incoming = new Incoming{std::move(allocate), std::move(done)};
  const efl_call call = {0, -1, &Incoming::OnDone, incoming};
  efl_peer_receive_tensor(peer_, name.c_str(), step, &Incoming::OnAllocate, &call);
}

void Party::SendVerdict(int64_t number, float figure) {
  // The driver may have it and be gone before this side learns that it was consumed.
  auto data = std::make_shared<float>(figure);
  SendAny(
      kVerdict, number, data.get(), sizeof(float), [data] {}, false);
}

float Party::AwaitVerdict(int64_t number) {
  Counter arrived;
  float figure = 0;
  Receive(
      kVerdict, number,
      [&figure](size_t size) {
        return size == sizeof(float) ? reinterpret_cast<uint8_t*>(&figure) : nullptr;
      },
      [&arrived] { arrived.Add(); });
  arrived.AwaitAtLeast(1);
  return figure;
}

void Counter::Add() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++count_;
  changed_.notify_all();
}

void Counter::AwaitAtLeast(uint64_t count) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this, count] { return count_ >= count; });
}

Pool::Pool(size_t count, size_t size) {
  for (size_t i = 0; i < count; ++i) {
    buffers_.emplace_back(size);
    free_.push_back(buffers_.back().data());
  }
}

uint8_t* Pool::Take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (free_.empty()) Die("more tensors at once than there are buffers");
  uint8_t* buffer = free_.back();
  free_.pop_back();
  return buffer;
}

void Pool::GiveBack(uint8_t* buffer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  free_.push_back(buffer);
}

}  // namespace efl::bench
