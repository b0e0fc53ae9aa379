#include "support/pair.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace efl::test {

Ending::~Ending() {
  if (used_) Wait();
}

Operation::Done Ending::done() {
  used_ = true;
  return [this](const Status& status, const Outcome& outcome) {
    std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_FALSE(result_.has_value()) << "ended twice, now with " << status.Text();
    result_ = Result{status, outcome};
    changed_.notify_all();
  };
}

Peer::Call Ending::call(uint64_t group, int64_t timeout_ms) { return {group, timeout_ms, done()}; }

const Ending::Result& Ending::Wait() {
  static const Result& never =
      *new Result{Status(Code::kInternal, "the operation did not end"), Outcome{}};
  std::unique_lock<std::mutex> lock(mutex_);
  const bool ended = changed_.wait_for(lock, kLimit, [this] { return result_.has_value(); });
  EXPECT_TRUE(ended) << "the operation did not end";
  return ended ? *result_ : never;
}

bool Ending::ended_within(std::chrono::milliseconds time) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return result_.has_value(); });
}

std::function<void*(const TensorInfo&)> Arrival::allocate() {
  return [this](const TensorInfo& arrived) -> void* {
    info = arrived;
    bytes.resize(arrived.size);
    return bytes.data();
  };
}

Party::Party(Role role) {
  options.role = role;
  options.listen_address = "127.0.0.1:0";
  options.party_id = RoleName(role);
  // The same contract over either wire: CMakeLists.txt runs the tests once with each.
  const char* wire = std::getenv("EFL_TEST_WIRE");
  const std::string chosen = wire != nullptr ? wire : "link";
  EXPECT_TRUE(chosen == "link" || chosen == "trainer") << chosen;
  options.wire = chosen == "trainer" ? WireChoice::kTrainer : WireChoice::kLink;
  options.send_completion = SendCompletion::kConsumed;
}

Party::~Party() {
  if (node != nullptr) node->Close();
}

Status Party::Open() {
  Status status;
  node = Node::Open(options, &status);
  return status;
}

Status Party::Meet(int peer_port) {
  options.peer_address = absl::StrCat("127.0.0.1:", peer_port);
  return Await();
}

Status Party::Await() {
  Status status;
  peer = node->AddPeer(options, &status);
  return status;
}

Pair::Pair() = default;

void Pair::UseTrainer() {
  for (Party* party : {&leader, &follower}) party->options.wire = WireChoice::kTrainer;
}

void Pair::Open() {
  ASSERT_EQ(leader.Open().Text(), "OK");
  ASSERT_EQ(follower.Open().Text(), "OK");
  ASSERT_EQ(leader.Meet(follower.node->port()).Text(), "OK");
  ASSERT_EQ(follower.Meet(leader.node->port()).Text(), "OK");
  Register();
}

void Pair::Register() {
  for (Party* party : {&leader, &follower}) {
    ASSERT_TRUE(party->peer->RegisterTensor("x", kFloat, std::nullopt).ok());
    ASSERT_TRUE(party->peer->RegisterDataset("train").ok());
  }
}

void Pair::Connect() {
  Open();
  if (leader.peer != nullptr && follower.peer != nullptr) ConnectPeers();
}

void Pair::ConnectPeers() {
  Ending of_leader, of_follower;
  leader.peer->Connect(of_leader.call());
  follower.peer->Connect(of_follower.call());
  ASSERT_EQ(of_leader.status().Text(), "OK");
  ASSERT_EQ(of_follower.status().Text(), "OK");
}

void Pair::ConnectThroughProxies() {
  ASSERT_EQ(leader.Open().Text(), "OK");
  ASSERT_EQ(follower.Open().Text(), "OK");
  to_leader = std::make_unique<faults::FaultProxy>(leader.node->port());
  to_follower = std::make_unique<faults::FaultProxy>(follower.node->port());
  ASSERT_EQ(leader.Meet(to_follower->port()).Text(), "OK");
  ASSERT_EQ(follower.Meet(to_leader->port()).Text(), "OK");
  Register();
  ConnectPeers();
}

void ExpectSaid(const Status& status, Code code, const std::string& text) {
  EXPECT_EQ(CodeName(status.code()), std::string(CodeName(code))) << status.Text();
  EXPECT_NE(status.message().find(text), std::string::npos) << status.Text();
}

void Exchange(Pair* pair, int64_t step, const std::vector<float>& values) {
  Arrival arrival;
  Ending sent;
  Peer* const from = step % 2 == 0 ? pair->follower.peer.get() : pair->leader.peer.get();
  Peer* const to = step % 2 == 0 ? pair->leader.peer.get() : pair->follower.peer.get();
  to->ReceiveTensor("x", step, arrival.allocate(), arrival.ending.call());
  from->SendTensor(Floats("x", step, values), sent.call());
  ASSERT_EQ(arrival.ending.status().Text(), "OK");
  ASSERT_EQ(sent.status().Text(), "OK");
  ASSERT_EQ(arrival.bytes, BytesOf(values));
}

bool Eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + kLimit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

void AwaitParked(const Peer& peer, int64_t count) {
  EXPECT_TRUE(Eventually([&] { return peer.stats().parked_tensors == count; }))
      << peer.stats().parked_tensors << " are parked, not " << count;
}

void ExpectWithin(std::chrono::milliseconds time, std::chrono::steady_clock::time_point begin) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  std::printf("told after %d ms\n", static_cast<int>(ms.count()));
  EXPECT_LE(ms, time);
}

void Within(std::chrono::seconds time, const std::function<void()>& run) {
  std::promise<void> ended;
  std::future<void> end = ended.get_future();
  std::thread thread([&] {
    run();
    ended.set_value();
  });
  if (end.wait_for(time) != std::future_status::ready) {
    std::fprintf(stderr, "still running after %d s\n", static_cast<int>(time.count()));
    std::abort();
  }
  thread.join();
}

OutgoingTensor Floats(const std::string& name, int64_t step, const std::vector<float>& values) {
  const size_t size = values.size() * sizeof(float);
  OutgoingTensor tensor;
  tensor.info = {name, step, kFloat, {static_cast<int64_t>(values.size())}, size};
  tensor.payload = {values.data(), size, nullptr, nullptr};
  return tensor;
}

std::string BytesOf(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* at = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(fd, at, size), 0);
  EXPECT_EQ(getsockname(fd, at, &size), 0);
  return ntohs(address.sin_port);
}

}  // namespace efl::test
