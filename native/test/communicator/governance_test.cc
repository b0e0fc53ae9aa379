// What two parties exchange under a policy and with ledgers, over either wire.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "support/files.h"
#include "support/log_lines.h"
#include "support/pair.h"

namespace efl::test {
namespace {

constexpr const char* kPolicy =
    R"({"version": 1, "default": "deny", "checkpoint_versions": "allow", "rules": [
  {"id": "activations", "action": "allow", "names": ["x"], "dtypes": ["float"], "limits": {"max_bytes": 64}}]})";

// The follower goes by the policy; both write a ledger.
class GovernanceTest : public testing::Test {
 protected:
  void Connect() {
    folder.Write("policy.json", kPolicy);
    pair.follower.options.egress_policy = folder / "policy.json";
    for (Party* party : {&pair.leader, &pair.follower}) {
      party->options.audit_log = folder / (party->options.party_id + ".jsonl");
    }
    pair.Connect();
    ASSERT_NE(pair.follower.peer, nullptr);
    ASSERT_TRUE(follower().RegisterTensor("z", kFloat, std::nullopt).ok());
    for (const char* name : {"y", "late"}) {
      ASSERT_TRUE(leader().RegisterTensor(name, kFloat, std::nullopt).ok());
    }
  }
  void Close() {
    pair.follower.node->Close();
    pair.leader.node->Close();
  }

  // How often this stands in a party's ledger.
  int Count(const char* party, const std::string& text) const {
    int count = 0;
    for (absl::string_view line :
         absl::StrSplit(folder.Read(absl::StrCat(party, ".jsonl")), '\n')) {
      count += line.find(text) != absl::string_view::npos ? 1 : 0;
    }
    return count;
  }
  // Whatever was appended to it behind the ledger's back makes it fail from then on.
  void Spoil(const char* party) {
    std::ofstream(folder / absl::StrCat(party, ".jsonl"), std::ios::app) << "x";
  }

  Peer& leader() { return *pair.leader.peer; }
  Peer& follower() { return *pair.follower.peer; }

  Folder folder;
  Pair pair;
};

// Ops of one run fail together, and each other's reasons are in what they say.
TEST_F(GovernanceTest, ShouldNotTellThePeerOfThePolicyByTheOthersOfItsRun) {
  Connect();
  const std::vector<float> values{1, 2};
  Arrival waiting;
  Ending denied, other;
  leader().ReceiveTensor("x", 3, waiting.allocate(), waiting.ending.call());
  Peer::Call first = denied.call(), second = other.call();
  first.group = second.group = 7;
  follower().SendTensor(Floats("y", 3, values), std::move(first));
  follower().SendTensor(Floats("x", 3, values), std::move(second));
  EXPECT_EQ(denied.status().code(), Code::kPermissionDenied);
  EXPECT_NE(other.status().message().find("policy.json"), std::string::npos)
      << "here it may be known why";
  ExpectSaid(waiting.ending.status(), Code::kAborted, "denied by its egress policy");
  EXPECT_EQ(waiting.ending.status().message().find("policy.json"), std::string::npos);
}

// Nor does an op of the run wait on for what can't come to anything any more.
TEST_F(GovernanceTest, ShouldEndTheRunOfADeniedReaderState) {
  Connect();
  Arrival waiting;
  Ending denied;
  Peer::Call first = waiting.ending.call(), second = denied.call();
  first.group = second.group = 7;
  follower().ReceiveTensor("z", 3, waiting.allocate(), std::move(first));
  follower().SendReaderState("train", "data_3.tfrd", 17, std::move(second));
  EXPECT_EQ(denied.status().code(), Code::kPermissionDenied);
  ExpectSaid(waiting.ending.status(), Code::kAborted, "ended with the others of its run");
}

TEST_F(GovernanceTest, ShouldEndTheRunOfAnAnswerThatCantBeRecorded) {
  Connect();
  Spoil("leader");
  Arrival waiting;
  Ending version, asked;
  Peer::Call first = waiting.ending.call(), second = asked.call();
  first.group = second.group = 7;
  leader().ReceiveTensor("x", 3, waiting.allocate(), std::move(first));
  leader().ReceiveCheckpointVersion(std::move(second));
  follower().SendCheckpointVersion("1200", version.call());
  EXPECT_EQ(asked.status().code(), Code::kFailedPrecondition);
  ExpectSaid(waiting.ending.status(), Code::kAborted, "ended with the others of its run");
}

TEST_F(GovernanceTest, ShouldFailADeniedSendAtBothEnds) {
  Connect();
  const std::vector<float> values{1, 2};
  Arrival waiting, late;
  Ending sent, sent_late;
  leader().ReceiveTensor("y", 3, waiting.allocate(), waiting.ending.call());
  follower().SendTensor(Floats("y", 3, values), sent.call());
  ExpectSaid(sent.status(), Code::kPermissionDenied, "no rule of " + (folder / "policy.json"));
  ExpectSaid(waiting.ending.status(), Code::kPermissionDenied,
             "the peer could not send it: denied by its egress policy");
  EXPECT_EQ(waiting.ending.status().message().find("policy.json"), std::string::npos)
      << "the policy is none of the peer's business";
  // Before the receive asks for it too.
  follower().SendTensor(Floats("late", 0, values), sent_late.call());
  EXPECT_EQ(sent_late.status().code(), Code::kPermissionDenied);
  leader().ReceiveTensor("late", 0, late.allocate(), late.ending.call());
  EXPECT_EQ(late.ending.status().code(), Code::kPermissionDenied);
  Close();
  EXPECT_EQ(Count("follower", "\"event\":\"denied\""), 2);
  EXPECT_EQ(Count("follower", "\"event\":\"sent\""), 0);
  EXPECT_EQ(Count("leader", "\"event\":\"received\""), 0);
}

TEST_F(GovernanceTest, ShouldNameTheRuleThatDenies) {
  Connect();
  const std::vector<float> values(17);
  Ending sent;
  follower().SendTensor(Floats("x", 1, values), sent.call());
  ExpectSaid(sent.status(), Code::kPermissionDenied,
             absl::StrCat("rules[0] 'activations' of ", folder / "policy.json",
                          " lets up to 64 bytes out, and it has 68"));
  // The leader has no policy, and nothing of what was denied stays behind.
  Exchange(&pair);
}

TEST_F(GovernanceTest, ShouldRecordWhatLeavesAndArrives) {
  Connect();
  for (int i = 0; i < 3; ++i) Exchange(&pair);
  Ending answered, asked;
  leader().SendReaderState("train", "data_3.tfrd", 17, answered.call());
  follower().ReceiveReaderState("train", asked.call());
  EXPECT_EQ(asked.status().Text(), "OK");
  EXPECT_EQ(answered.status().Text(), "OK");
  // Recorded by the time that either party hears of the end.
  const std::string tensor =
      R"("kind":"tensor","name":"x","step":0,"dtype":"float","shape":[3],"bytes":12,)";
  EXPECT_EQ(Count("follower", tensor), 3);
  EXPECT_EQ(Count("leader", tensor), 3);
  const std::string state = R"("kind":"reader_state","name":"train","bytes":11,)";
  EXPECT_EQ(Count("leader", R"("event":"sent","peer":"follower")"), 1);
  EXPECT_EQ(Count("leader", state), 1);
  EXPECT_EQ(Count("follower", R"("event":"received","peer":"leader")"), 1);
  EXPECT_EQ(Count("follower", state), 1);
  Close();
  EXPECT_EQ(Count("leader", "data_3"), 0) << "never what it says";
  EXPECT_EQ(Count("follower", R"("event":"opened","party":"follower")"), 1);
  EXPECT_EQ(Count("follower", R"("policy_sha256":")"), 1);
  EXPECT_EQ(Count("leader", R"("policy_sha256":")"), 0);
  EXPECT_EQ(Count("leader", R"("event":"closed")"), 1);
}

// Neither of what arrives, nor of what is denied, nor of what the receiver doesn't want.
TEST_F(GovernanceTest, ShouldWriteNoContentsAnywhere) {
  LogLines lines(LogLevel::kDebug);
  Connect();
  ASSERT_TRUE(follower().RegisterTensor("three", kFloat, std::vector<int64_t>{3}).ok());
  const std::string secret = "the patient is ill";
  std::vector<float> values(secret.size() / sizeof(float));
  std::memcpy(values.data(), secret.data(), values.size() * sizeof(float));
  const auto exchange = [&](Peer* from, Peer* to, const char* name) {
    Arrival arrival;
    Ending sent;
    to->ReceiveTensor(name, 5, arrival.allocate(), arrival.ending.call());
    from->SendTensor(Floats(name, 5, values), sent.call());
    return absl::StrCat(sent.status().Text(), " ", arrival.ending.status().Text());
  };
  EXPECT_EQ(exchange(&follower(), &leader(), "x"), "OK OK");
  const std::string said =
      exchange(&follower(), &leader(), "y") + exchange(&leader(), &follower(), "three");
  EXPECT_NE(said.find("PERMISSION_DENIED"), std::string::npos) << said;
  EXPECT_NE(said.find("INVALID_ARGUMENT"), std::string::npos) << said;
  Close();
  EXPECT_GT(lines.Count("peer "), 0);
  // As they are, in hexadecimal, in base64, and as numbers.
  for (const std::string& told : {std::string("the pat"), std::string("746865207061"),
                                  std::string("dGhlIHBhdGll"), absl::StrCat(values[0])}) {
    EXPECT_EQ(lines.Count(told), 0) << told;
    EXPECT_EQ(Count("leader", told) + Count("follower", told), 0) << told;
    EXPECT_EQ(said.find(told), std::string::npos) << said;
  }
}

TEST_F(GovernanceTest, ShouldDenyReaderStatesAtBothEnds) {
  Connect();
  Ending answered, asked, asked_late, answered_late;
  leader().ReceiveReaderState("train", asked.call());
  follower().SendReaderState("train", "data_3.tfrd", 17, answered.call());
  ExpectSaid(answered.status(), Code::kPermissionDenied,
             "reader_states of " + (folder / "policy.json"));
  ExpectSaid(asked.status(), Code::kPermissionDenied, "denied by its egress policy");
  follower().SendReaderState("train", "data_4.tfrd", 0, answered_late.call());
  EXPECT_EQ(answered_late.status().code(), Code::kPermissionDenied);
  leader().ReceiveReaderState("train", asked_late.call());
  EXPECT_EQ(asked_late.status().code(), Code::kPermissionDenied);
  // The end of the data says nothing of them.
  Ending terminated, told;
  follower().TerminateReader("train", terminated.call());
  leader().ReceiveReaderState("train", told.call());
  EXPECT_EQ(told.status().code(), Code::kOutOfRange);
  Ending version, asked_version;
  follower().SendCheckpointVersion("1200", version.call());
  leader().ReceiveCheckpointVersion(asked_version.call());
  EXPECT_EQ(asked_version.status().Text(), "OK");
  EXPECT_EQ(Count("follower", R"("event":"denied","peer":"leader")"), 2);
}

TEST_F(GovernanceTest, ShouldLetNothingLeaveThatCantBeRecorded) {
  Connect();
  Spoil("follower");
  const std::vector<float> values{1};
  Arrival arrival;
  Ending sent, version, asked;
  leader().ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  follower().SendTensor(Floats("x", 0, values), sent.call());
  ExpectSaid(sent.status(), Code::kFailedPrecondition, "somebody has changed it");
  ExpectSaid(arrival.ending.status(), Code::kFailedPrecondition,
             "its audit ledger can't be written");
  EXPECT_EQ(arrival.bytes, "");
  follower().SendCheckpointVersion("1200", version.call());
  leader().ReceiveCheckpointVersion(asked.call());
  ExpectSaid(version.status(), Code::kFailedPrecondition, "somebody has changed it");
  ExpectSaid(asked.status(), Code::kFailedPrecondition, "its audit ledger can't be written");
  EXPECT_EQ(asked.Wait().outcome.text, "");
}

TEST_F(GovernanceTest, ShouldLetNothingArriveThatCantBeRecorded) {
  Connect();
  Spoil("leader");
  const std::vector<float> values{1};
  Arrival arrival;
  Ending sent, version, asked;
  leader().ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  follower().SendTensor(Floats("x", 0, values), sent.call());
  ExpectSaid(arrival.ending.status(), Code::kFailedPrecondition, "somebody has changed it");
  ExpectSaid(sent.status(), Code::kFailedPrecondition, "its audit ledger can't be written");
  leader().ReceiveCheckpointVersion(asked.call());
  follower().SendCheckpointVersion("1200", version.call());
  ExpectSaid(asked.status(), Code::kFailedPrecondition, "somebody has changed it");
  EXPECT_EQ(asked.Wait().outcome.text, "");
}

// Also where a send ends when its tensor is there, if a receive waited for it.
TEST_F(GovernanceTest, ShouldTellTheSenderOfWhatCantBeRecorded) {
  pair.follower.options.send_completion = SendCompletion::kAccepted;
  Connect();
  Spoil("leader");
  const std::vector<float> values{1};
  Arrival arrival;
  Ending sent;
  leader().ReceiveTensor("x", 0, arrival.allocate(), arrival.ending.call());
  follower().SendTensor(Floats("x", 0, values), sent.call());
  EXPECT_EQ(arrival.ending.status().code(), Code::kFailedPrecondition);
  ExpectSaid(sent.status(), Code::kFailedPrecondition, "its audit ledger can't be written");
}

TEST_F(GovernanceTest, ShouldFailToOpenWithoutAPolicyThatCanBeUsed) {
  pair.leader.options.egress_policy = folder / "none.json";
  ExpectSaid(pair.leader.Open(), Code::kInvalidArgument, "EFL_EGRESS_POLICY (egress_policy) '");
  pair.leader.options.egress_policy.clear();
  pair.leader.options.audit_log = folder.path();
  ExpectSaid(pair.leader.Open(), Code::kInvalidArgument, "EFL_AUDIT_LOG (audit_log) '");
}

TEST_F(GovernanceTest, ShouldRefuseTwoNodesWithOneLedger) {
  pair.leader.options.audit_log = pair.follower.options.audit_log = folder / "one.jsonl";
  EXPECT_EQ(pair.leader.Open().Text(), "OK");
  ExpectSaid(pair.follower.Open(), Code::kFailedPrecondition, "a ledger belongs to one node");
  pair.leader.node->Close();
  EXPECT_EQ(pair.follower.Open().Text(), "OK");
}

}  // namespace
}  // namespace efl::test
