// scripts/audit, which is written from the format alone, over what the kernel has written, and over
// what somebody has changed in it.
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "governance/governance.h"
#include "governance/sha256.h"
#include "support/files.h"

namespace efl {
namespace {

class AuditScriptTest : public testing::Test {
 protected:
  struct Outcome {
    int exit;
    std::string output;
  };

  void SetUp() override {
    folder.Write("policy.json", R"({"version": 1, "default": "allow", "rules": [
      {"id": "no-labels", "action": "deny", "names": ["label"]}]})");
    Status status;
    const auto governance =
        Governance::Open({folder / "policy.json", folder / "audit.jsonl", "alice"}, &status);
    ASSERT_EQ(status.Text(), "OK");
    const Counterpart bob{"bob", "bob:50052"};
    for (int64_t step = 0; step < 3; ++step) {
      EXPECT_TRUE(governance->RecordSent({"fc1", step, kFloat, {2, 3}, 24}, bob).ok());
      EXPECT_TRUE(governance->RecordReceived({"grad \"1\"", step, kDouble, {}, 8}, bob).ok());
    }
    EXPECT_FALSE(governance->Admit({"label", 0, kInt64, {1}, 8}, bob).ok());
    EXPECT_TRUE(governance->RecordSent(EgressText::kReaderState, "train", 11, bob).ok());
    governance->Close();
    lines = absl::StrSplit(folder.Read("audit.jsonl"), '\n');
    lines.pop_back();
    ASSERT_EQ(lines.size(), 10u);
  }

  Outcome Audit(const std::string& arguments) const {
    const std::string command =
        absl::StrCat("python3 '", EFL_SOURCE_DIR, "/scripts/audit' ", arguments, " 2>&1");
    std::FILE* const pipe = popen(command.c_str(), "r");
    std::string output;
    char buffer[4096];
    while (const size_t count = std::fread(buffer, 1, sizeof(buffer), pipe))
      output.append(buffer, count);
    const int outcome = pclose(pipe);
    return {WIFEXITED(outcome) ? WEXITSTATUS(outcome) : -1, output};
  }
  Outcome Audit() const { return Audit(folder / "audit.jsonl"); }

  void Write(const std::vector<std::string>& these) const {
    folder.Write("audit.jsonl", absl::StrJoin(these, "\n") + "\n");
  }
  void ExpectTampered(const std::string& said) const {
    const Outcome outcome = Audit();
    EXPECT_EQ(outcome.exit, 1) << outcome.output;
    EXPECT_NE(outcome.output.find("TAMPERED"), std::string::npos) << outcome.output;
    EXPECT_NE(outcome.output.find(said), std::string::npos) << outcome.output;
  }
  static std::string Replaced(std::string line, const std::string& from, const std::string& to) {
    return line.replace(line.find(from), from.size(), to);
  }
  // The hash that this line would have after that one.
  static std::string Rehashed(const std::string& line, const std::string& before) {
    const std::string body = line.substr(0, line.rfind(",\"hash\""));
    const std::string hash_before = before.substr(before.size() - 66, 64);
    return absl::StrCat(body, R"(,"hash":")", Sha256Hex({hash_before, body}), "\"}");
  }

  test::Folder folder;
  std::vector<std::string> lines;
};

TEST_F(AuditScriptTest, ShouldVerifyAndSumWhatTheKernelWrote) {
  const Outcome outcome = Audit((folder / "audit.jsonl") + " --json " + (folder / "out.json"));
  EXPECT_EQ(outcome.exit, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("ok, 10 lines"), std::string::npos) << outcome.output;
  EXPECT_EQ(outcome.output.find("note"), std::string::npos) << outcome.output;
  const std::string json = folder.Read("out.json");
  for (const char* part :
       {"\"ok\": true", "\"lines\": 10", "\"event\": \"denied\"", "\"name\": \"fc1\"",
        "\"count\": 3", "\"bytes\": 72", "\"kind\": \"reader_state\"", "\"peer\": \"bob\"",
        "\"name\": \"grad \\\"1\\\"\""}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << " is missing in " << json;
  }
}

TEST_F(AuditScriptTest, ShouldSumNamesByPattern) {
  const Outcome outcome = Audit((folder / "audit.jsonl") + " --names 'fc*' --names 'grad*'");
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_NE(outcome.output.find("grad*"), std::string::npos) << outcome.output;
  EXPECT_EQ(outcome.output.find(" fc1 "), std::string::npos) << outcome.output;
}

TEST_F(AuditScriptTest, ShouldNoticeAByteChanged) {
  lines[3] = Replaced(lines[3], "\"bytes\":24", "\"bytes\":25");
  Write(lines);
  ExpectTampered("line 4 of the file: number 4 doesn't follow from the line before");
}

// Wherever it is, each byte of it.
TEST_F(AuditScriptTest, ShouldNoticeAnyBitFlipped) {
  const std::string text = folder.Read("audit.jsonl");
  std::string files;
  int written = 0;
  for (size_t at = 0; at < text.size(); at += 37) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const std::string name = absl::StrCat("flipped-", written++);
    folder.Write(name, changed);
    absl::StrAppend(&files, " ", folder / name);
  }
  const Outcome outcome = Audit(files);
  EXPECT_EQ(outcome.exit, 1);
  int noticed = 0;
  for (const auto& line : absl::StrSplit(outcome.output, '\n')) {
    noticed += line.find(": TAMPERED, ") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(noticed, written) << outcome.output;
}

TEST_F(AuditScriptTest, ShouldNoticeALineDeleted) {
  lines.erase(lines.begin() + 4);
  Write(lines);
  ExpectTampered("line 5 of the file: number 6 follows 4");
}

TEST_F(AuditScriptTest, ShouldNoticeTheBeginningDeleted) {
  lines.erase(lines.begin());
  Write(lines);
  ExpectTampered("line 1 of the file: number 2 follows 0");
}

TEST_F(AuditScriptTest, ShouldNoticeLinesSwapped) {
  std::swap(lines[4], lines[5]);
  Write(lines);
  ExpectTampered("line 5 of the file: number 6 follows 4");
}

TEST_F(AuditScriptTest, ShouldNoticeALineInserted) {
  lines.insert(lines.begin() + 5, lines[4]);
  Write(lines);
  ExpectTampered("line 6 of the file: number 5 follows 5");
  lines[5] = "nothing of the kind";
  Write(lines);
  ExpectTampered("line 6 of the file: it is no line of a ledger");
}

TEST_F(AuditScriptTest, ShouldNoticeALineChangedTogetherWithItsHash) {
  lines[4] = Rehashed(Replaced(lines[4], "grad", "grae"), lines[3]);
  Write(lines);
  ExpectTampered("line 6 of the file: number 6 doesn't follow from the line before");
}

TEST_F(AuditScriptTest, ShouldNoticeALineWithHashThatSaysSomethingElse) {
  lines[9] = Rehashed(Replaced(lines[9], "closed", "vanished"), lines[8]);
  Write(lines);
  ExpectTampered("there is no event 'vanished'");
}

// With hashes that fit: what a line says must not end the script.
TEST_F(AuditScriptTest, ShouldReportContentThatNoLedgerHas) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const std::string digits(5000, '9');
  const std::string bytes = "\"bytes\":24", event = "\"event\":\"sent\"";
  const struct {
    std::string from, to, said;
  } changes[] = {
      {event, "\"event\":[]", "number 4: its event is missing or of another type"},
      {event, event + ",\"more\":" + deep, "number 4: it is not JSON"},
      {bytes, "\"bytes\":" + digits, "number 4: it"},
      {bytes, "\"bytes\":9" + std::string(4299, '0'), "number 4: its bytes is out of range"},
      {"\"seq\":4", "\"seq\":" + digits, "line 4 of the file: it is no line of a ledger"},
  };
  for (const auto& change : changes) {
    std::vector<std::string> changed = lines;
    changed[3] = Rehashed(Replaced(lines[3], change.from, change.to), lines[2]);
    Write(changed);
    ExpectTampered(change.said);
  }
}

// All of them made anew, from the one that was changed: only a copy of the last hash tells.
TEST_F(AuditScriptTest, ShouldNoticeWithAnAnchorWhatWasWrittenAnewOrCutShort) {
  const std::string anchor = absl::StrCat("10:", lines[9].substr(lines[9].size() - 66, 64));
  const std::string at = (folder / "audit.jsonl") + " --anchor " + anchor;
  EXPECT_EQ(Audit(at).exit, 0);
  const std::vector<std::string> original = lines;
  lines[4] = Replaced(lines[4], "grad", "grae");
  for (size_t i = 4; i < lines.size(); ++i) lines[i] = Rehashed(lines[i], lines[i - 1]);
  Write(lines);
  EXPECT_EQ(Audit().exit, 0) << "nothing in the file itself can show it";
  EXPECT_EQ(Audit(at).exit, 1);
  Write({original.begin(), original.begin() + 7});
  const Outcome cut = Audit();
  EXPECT_EQ(cut.exit, 0);
  EXPECT_NE(cut.output.find("doesn't end in \"closed\""), std::string::npos) << cut.output;
  EXPECT_EQ(Audit(at).exit, 1);
}

TEST_F(AuditScriptTest, ShouldTellTornLinesFromTampering) {
  const std::string text = folder.Read("audit.jsonl");
  folder.Write("audit.jsonl", text + lines[9].substr(0, 50));
  Outcome outcome = Audit();
  EXPECT_EQ(outcome.exit, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("line 11 is torn (50 bytes)"), std::string::npos) << outcome.output;
  Status status;
  Governance::Open({"", folder / "audit.jsonl", "alice"}, &status)->Close();
  outcome = Audit();
  EXPECT_EQ(outcome.exit, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("opened 2 times, torn 1 times"), std::string::npos)
      << outcome.output;
  // What was torn is part of the chain from then on.
  folder.Write("audit.jsonl", Replaced(folder.Read("audit.jsonl"), "#torn", "x#torn"));
  ExpectTampered("isn't what stands before it");
  folder.Write("audit.jsonl", text + "x#torn\n" + lines[9] + "\n");
  ExpectTampered("marked as torn, and no line says so");
}

TEST_F(AuditScriptTest, ShouldTellWrongUsageApart) {
  EXPECT_EQ(Audit("").exit, 2);
  EXPECT_EQ(Audit(folder / "none.jsonl").exit, 2);
  EXPECT_EQ(Audit((folder / "audit.jsonl") + " --anchor x").exit, 2);
  EXPECT_EQ(Audit((folder / "audit.jsonl") + " --json /nonexistent/out.json").exit, 2);
}

}  // namespace
}  // namespace efl
