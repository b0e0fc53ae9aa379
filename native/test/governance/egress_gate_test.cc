// What a policy lets out.
#include "governance/egress_gate.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "support/files.h"
#include "support/pair.h"

namespace efl {
namespace {

using std::chrono::milliseconds;

// A gate over this policy, and the time it goes by.
struct Gate {
  explicit Gate(const std::string& text) {
    EgressPolicy policy;
    EXPECT_EQ(EgressPolicy::Parse(text, &policy).Text(), "OK");
    gate =
        std::make_unique<EgressGate>(std::move(policy), "/etc/policy.json", [this] { return now; });
  }

  Status Send(const std::string& name, size_t size, int32_t dtype = kFloat) {
    return gate->Admit({name, 0, dtype, {static_cast<int64_t>(size / 4)}, size});
  }

  RateLimit::Clock::time_point now{};
  std::unique_ptr<EgressGate> gate;
};

void ExpectDenied(const Status& status, const std::string& said) {
  test::ExpectSaid(status, Code::kPermissionDenied, said);
  test::ExpectSaid(status, Code::kPermissionDenied, "change /etc/policy.json");
}

TEST(EgressGateTest, ShouldGoByTheFirstRuleThatFits) {
  Gate gate(R"({"version": 1, "default": "deny", "rules": [
    {"id": "no-labels", "action": "deny", "names": ["*label*"]},
    {"action": "allow", "names": ["fc*", "grad_?"], "dtypes": ["float", "half"]},
    {"action": "deny", "names": ["fc*"]},
    {"action": "allow", "names": ["ids"], "dtypes": ["int64"]}]})");
  EXPECT_TRUE(gate.Send("fc1", 8).ok());
  EXPECT_TRUE(gate.Send("fc1", 8, kHalf).ok());
  EXPECT_TRUE(gate.Send("grad_x", 8).ok());
  EXPECT_TRUE(gate.Send("ids", 8, kInt64).ok());
  ExpectDenied(gate.Send("fc_label", 8), "rules[0] 'no-labels' of /etc/policy.json says so");
  ExpectDenied(gate.Send("fc1", 8, kString), "rules[2] of /etc/policy.json says so");
  ExpectDenied(gate.Send("ids", 8), "no rule of /etc/policy.json fits a float tensor");
  ExpectDenied(gate.Send("grad_xy", 8), "its default is deny");
  ExpectDenied(gate.Send("fc\xff", 8), "UTF-8");
}

TEST(EgressGateTest, ShouldAllowByDefaultWhereThatIsSaid) {
  Gate gate(R"({"version": 1, "default": "allow",
                "rules": [{"action": "deny", "names": ["y"], "dtypes": ["float"]}]})");
  EXPECT_TRUE(gate.Send("x", 8).ok());
  EXPECT_TRUE(gate.Send("y", 8, kDouble).ok());
  ExpectDenied(gate.Send("y", 8), "rules[0]");
  ExpectDenied(gate.Send("\xff", 8), "UTF-8");
}

TEST(EgressGateTest, ShouldLimitSizes) {
  Gate gate(R"({"version": 1, "default": "allow", "limits": {"max_bytes": 4000},
                "rules": [{"action": "allow", "names": ["s*"], "limits": {"max_bytes": 400}}]})");
  EXPECT_TRUE(gate.Send("s", 400).ok());
  EXPECT_TRUE(gate.Send("other", 4000).ok());
  ExpectDenied(gate.Send("s", 404),
               "rules[0] of /etc/policy.json lets up to 400 bytes out, and it has 404");
  ExpectDenied(gate.Send("other", 4004),
               "the limits of /etc/policy.json lets up to 4000 bytes out");
}

TEST(EgressGateTest, ShouldLimitBytesPerSecond) {
  Gate gate(R"({"version": 1, "default": "deny", "rules": [
    {"action": "allow", "names": ["*"], "limits": {"bytes_per_second": 1000}}]})");
  EXPECT_TRUE(gate.Send("a", 600).ok());
  EXPECT_TRUE(gate.Send("b", 400).ok());
  ExpectDenied(gate.Send("a", 200), "Send it again in 201 ms");
  gate.now += milliseconds(199);
  ExpectDenied(gate.Send("a", 200), "over the rate of rules[0]");
  gate.now += milliseconds(2);
  EXPECT_TRUE(gate.Send("a", 200).ok());
  // However long the pause, no more than a burst.
  gate.now += std::chrono::hours(1);
  EXPECT_TRUE(gate.Send("a", 1000).ok());
  ExpectDenied(gate.Send("a", 4), "bytes_per_second=1000");
  gate.now += std::chrono::hours(1);
  ExpectDenied(gate.Send("a", 1004), "never lets so much out at once");
}

TEST(EgressGateTest, ShouldLimitSendsPerSecondOverABurst) {
  Gate gate(R"({"version": 1, "default": "deny", "rules": [
    {"action": "allow", "names": ["*"], "limits": {"sends_per_second": 0.5, "burst_seconds": 4}}]})");
  EXPECT_TRUE(gate.Send("a", 1 << 30).ok());
  EXPECT_TRUE(gate.Send("a", 4).ok());
  ExpectDenied(gate.Send("a", 4), "sends_per_second=0.5");
  gate.now += milliseconds(2001);
  EXPECT_TRUE(gate.Send("a", 4).ok());
  ExpectDenied(gate.Send("a", 4), "sends_per_second=0.5");
}

TEST(EgressGateTest, ShouldNotCountWhatIsDenied) {
  Gate gate(R"({"version": 1, "default": "allow", "limits": {"sends_per_second": 2},
                "rules": [{"action": "allow", "names": ["s"], "limits": {"bytes_per_second": 100}},
                          {"action": "deny", "names": ["no"]}]})");
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(gate.Send("no", 4).ok());
  EXPECT_TRUE(gate.Send("s", 100).ok());
  for (int i = 0; i < 10; ++i) ExpectDenied(gate.Send("s", 4), "rules[0]");
  EXPECT_TRUE(gate.Send("x", 4).ok());
  ExpectDenied(gate.Send("x", 4), "the limits of /etc/policy.json");
}

TEST(EgressGateTest, ShouldTreatTextsAsThePolicySays) {
  Gate gate(
      R"({"version": 1, "default": "deny", "reader_states": "allow", "limits": {"max_bytes": 10}})");
  EXPECT_TRUE(gate.gate->Admit(EgressText::kReaderState, 10).ok());
  ExpectDenied(gate.gate->Admit(EgressText::kReaderState, 11), "max_bytes");
  ExpectDenied(gate.gate->Admit(EgressText::kCheckpointVersion, 1), "checkpoint_versions");
}

TEST(EgressGateTest, ShouldKeepToARateWhateverManyThreadsDo) {
  Gate gate(R"({"version": 1, "default": "allow", "limits": {"sends_per_second": 100}})");
  std::atomic<int> sent{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) sent += gate.Send("x", 4).ok() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sent, 100);
}

TEST(EgressGateTest, ShouldRefuseFilesThatCantBeUsedAndNameThem) {
  const test::Folder folder;
  Status status;
  EXPECT_EQ(EgressGate::Open(folder / "none.json", &status), nullptr);
  test::ExpectSaid(status, Code::kInvalidArgument, "none.json': can't be read: No such file");
  EXPECT_EQ(EgressGate::Open(folder.path(), &status), nullptr);
  test::ExpectSaid(status, Code::kInvalidArgument, "can't be read: Is a directory");
  folder.Write("bad.json", R"({"version": 1, "default": "deny", "rules": [{}]})");
  EXPECT_EQ(EgressGate::Open(folder / "bad.json", &status), nullptr);
  test::ExpectSaid(status, Code::kInvalidArgument, "bad.json': rules[0].action is missing");
  folder.Write("empty.json", "");
  EXPECT_EQ(EgressGate::Open(folder / "empty.json", &status), nullptr);
  test::ExpectSaid(status, Code::kInvalidArgument, "empty.json': not JSON");
  folder.Write("long.json", std::string(3 << 20, ' '));
  EXPECT_EQ(EgressGate::Open(folder / "long.json", &status), nullptr);
  test::ExpectSaid(status, Code::kInvalidArgument, "more than a policy takes");
  folder.Write("good.json", R"({"version": 1, "default": "deny"})");
  EXPECT_NE(EgressGate::Open(folder / "good.json", &status), nullptr);
  EXPECT_EQ(status.Text(), "OK");
}

}  // namespace
}  // namespace efl
