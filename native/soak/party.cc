#include "party.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>

#include "content.h"
#include "efl/efl.h"

namespace efl::soak {
namespace {

constexpr int32_t kFloat = 1;
constexpr const char* kWatch = "watch";

// One line, whole, whichever thread says it.
void Say(const std::string& line) {
  static std::mutex mutex;
  const std::string text = line + "\n";
  std::lock_guard<std::mutex> lock(mutex);
  if (write(STDOUT_FILENO, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    _exit(1);
  }
}

[[noreturn]] void Die(const std::string& reason) {
  std::fprintf(stderr, "efl_soak party: %s\n", reason.c_str());
  _exit(1);
}

class Status {
 public:
  Status() : status_(efl_status_create()) {}
  ~Status() { efl_status_free(status_); }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;
  efl_status* get() { return status_; }
  void Check() const {
    if (efl_status_code(status_) != EFL_OK) Die(efl_status_text(status_));
  }

 private:
  efl_status* status_;
};

std::string End(const efl_status* status) {
  return " " + std::to_string(efl_status_code(status)) + " " + efl_status_text(status);
}

struct Receiving {
  uint64_t number;
  size_t floats;
  std::vector<float> data;
};

void* Allocate(void* token, const efl_tensor* tensor) {
  auto* receiving = static_cast<Receiving*>(token);
  receiving->data.resize(tensor->size / sizeof(float));
  return receiving->data.data();
}

void OnReceived(void* token, const efl_status* status, const efl_result*) {
  const std::unique_ptr<Receiving> receiving(static_cast<Receiving*>(token));
  int found = 0;
  if (efl_status_code(status) == EFL_OK) {
    found = receiving->data.size() != receiving->floats
                ? static_cast<int>(Found::kAnother)
                : static_cast<int>(
                      Compare(receiving->number, receiving->data.data(), receiving->floats));
  }
  Say("RECEIVED " + std::to_string(receiving->number) + " " +
      std::to_string(efl_status_code(status)) + " " + std::to_string(found) + " " +
      efl_status_text(status));
}

void OnSent(void* token, const efl_status* status, const efl_result*) {
  const std::unique_ptr<uint64_t> number(static_cast<uint64_t*>(token));
  Say("SENT " + std::to_string(*number) + End(status));
}

void OnConnected(void*, const efl_status* status, const efl_result*) {
  Say("CONNECTED" + End(status));
}

void OnWatched(void*, const efl_status* status, const efl_result*) { Say("WATCHED" + End(status)); }

void* AllocateNothing(void*, const efl_tensor*) { return nullptr; }

void Send(efl_peer* peer, uint64_t number, size_t floats) {
  const std::string name = NameOf(number);
  const auto dim = static_cast<int64_t>(floats);
  efl_tensor tensor{};
  tensor.name = name.c_str();
  tensor.step = static_cast<int64_t>(number);
  tensor.dtype = kFloat;
  tensor.rank = 1;
  tensor.dims = &dim;
  tensor.data = ContentOf(number);
  tensor.size = floats * sizeof(float);
  const efl_call call{0, -1, OnSent, new uint64_t(number)};
  efl_peer_send_tensor(peer, &tensor, &call);
}

void Receive(efl_peer* peer, uint64_t number, size_t floats) {
  const efl_call call{0, -1, OnReceived, new Receiving{number, floats, {}}};
  efl_peer_receive_tensor(peer, NameOf(number).c_str(), static_cast<int64_t>(number), Allocate,
                          &call);
}

void Obey(efl_peer* peer, const std::string& line) {
  std::istringstream words(line);
  std::string command;
  uint64_t number = 0;
  size_t floats = 0;
  words >> command >> number >> floats;
  if (command == "SEND") {
    Send(peer, number, floats);
  } else if (command == "RECV") {
    Receive(peer, number, floats);
  } else if (command == "CONNECT") {
    const efl_call call{0, 60'000, OnConnected, nullptr};
    efl_peer_connect(peer, &call);
  } else if (command == "WATCH") {
    const efl_call call{0, 86'400'000, OnWatched, nullptr};
    efl_peer_receive_tensor(peer, kWatch, 0, AllocateNothing, &call);
  } else {
    Die("'" + line + "'?");
  }
}

// The driver hears of certificates that are taken, the user of errors.
void OnLog(void*, int32_t level, const char* message) {
  if (std::strstr(message, "TLS: the files have changed") != nullptr) Say("RENEWED");
  if (level >= EFL_LOG_ERROR) std::fprintf(stderr, "efl_soak party: %s\n", message);
}

bool ClockJumps() {
  using std::chrono::steady_clock;
  using std::chrono::system_clock;
  const auto until = steady_clock::now() + std::chrono::seconds(1);
  const auto begin = system_clock::now();
  while (steady_clock::now() < until) {
    const auto passed = system_clock::now() - begin;
    if (passed > std::chrono::hours(1) || passed < -std::chrono::hours(1)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace

int RunParty(const std::vector<std::pair<std::string, std::string>>& given) {
  Status status;
  if (std::getenv(kClockJumps) != nullptr && !ClockJumps()) Die("the wall clock doesn't jump");
  efl_log_set(&OnLog, nullptr, EFL_LOG_INFO);
  efl_options* options = efl_options_create();
  for (const auto& [key, value] : given) {
    efl_options_set(options, key.c_str(), value.c_str(), status.get());
    status.Check();
  }
  efl_node* node = efl_node_create(options, status.get());
  status.Check();
  efl_peer* peer = efl_node_add_peer(node, options, status.get());
  status.Check();
  efl_options_free(options);
  for (uint64_t i = 0; i < kNames; ++i) {
    efl_peer_register_tensor(peer, NameOf(i).c_str(), kFloat, -1, nullptr, status.get());
    status.Check();
  }
  efl_peer_register_tensor(peer, kWatch, kFloat, -1, nullptr, status.get());
  status.Check();
  ContentOf(0);
  Say("PORT " + std::to_string(efl_node_port(node)));
  for (std::string line; std::getline(std::cin, line) && line != "QUIT";) Obey(peer, line);
  efl_peer_release(peer);
  efl_node_free(node);
  return 0;
}

}  // namespace efl::soak
