// The text of a policy: what is read, and every way to refuse it.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "governance/egress_policy.h"
#include "support/pair.h"

namespace efl {
namespace {

constexpr const char* kWhole = R"({
  "version": 1,
  "comment": "agreed upon in May",
  "default": "deny",
  "reader_states": "allow",
  "limits": {"bytes_per_second": 1000000, "burst_seconds": 10},
  "rules": [
    {"id": "no-labels", "action": "deny", "names": ["label*", "y_?"]},
    {"action": "allow", "names": ["h[0-9]"], "dtypes": ["float", "bfloat16"], "comment": "hidden layers",
     "limits": {"max_bytes": 4096, "sends_per_second": 0.5, "burst_seconds": 4}}
  ]
})";

void ExpectRefused(const std::string& text, const char* said) {
  EgressPolicy policy;
  test::ExpectSaid(EgressPolicy::Parse(text, &policy), Code::kInvalidArgument, said);
}

// A policy with this rule alone.
std::string WithRule(const std::string& rule) {
  return R"({"version": 1, "default": "deny", "rules": [)" + rule + "]}";
}

// A policy with this, beside what has to be there.
std::string With(const std::string& members) {
  return R"({"version": 1, "default": "deny", )" + members + "}";
}

TEST(PolicyReaderTest, ShouldReadAllThatThereIs) {
  EgressPolicy policy;
  ASSERT_EQ(EgressPolicy::Parse(kWhole, &policy).Text(), "OK");
  EXPECT_FALSE(policy.allow_by_default);
  EXPECT_TRUE(policy.allow_reader_states);
  EXPECT_FALSE(policy.allow_checkpoint_versions) << "as the default says";
  EXPECT_EQ(policy.limits.bytes_per_second, 1000000);
  EXPECT_EQ(policy.limits.burst_seconds, 10);
  ASSERT_EQ(policy.rules.size(), 2u);
  EXPECT_EQ(policy.rules[0].id, "no-labels");
  EXPECT_FALSE(policy.rules[0].allow);
  EXPECT_EQ(policy.rules[0].names, (std::vector<std::string>{"label*", "y_?"}));
  EXPECT_EQ(policy.rules[1].id, "rules[1]");
  EXPECT_TRUE(policy.rules[1].allow);
  EXPECT_EQ(policy.rules[1].dtypes, (std::vector<int32_t>{kFloat, kBfloat16}));
  EXPECT_EQ(policy.rules[1].limits.max_bytes, 4096);
  EXPECT_EQ(policy.rules[1].limits.sends_per_second, 0.5);
}

TEST(PolicyReaderTest, ShouldNeedNoMoreThanADefault) {
  EgressPolicy policy;
  ASSERT_EQ(EgressPolicy::Parse(R"({"version": 1, "default": "allow"})", &policy).Text(), "OK");
  EXPECT_TRUE(policy.allow_by_default);
  EXPECT_TRUE(policy.allow_reader_states);
  EXPECT_TRUE(policy.rules.empty());
}

TEST(PolicyReaderTest, ShouldRefuseWhatIsNotJsonAndSayWhere) {
  ExpectRefused("", "not JSON");
  ExpectRefused("{\n  \"version\": 1,\n  \"default\" \"deny\"\n}", "line 3, column");
  ExpectRefused("{} {}", "not JSON");
  ExpectRefused(std::string(R"({"version": 1, "default": "deny"})") + '\0' + "rules",
                "not JSON: byte 33 is NUL");
  ExpectRefused("{\"version\": 1, // mine\n}", "not JSON");
  ExpectRefused("{\"version\": 1, \"comment\": \"\xff\"}", "not JSON");
  ExpectRefused("{\"version\": 1e999}", "not JSON");
  ExpectRefused("[1]", "the file: expected an object");
  ExpectRefused(std::string(100'000, '['), "too deeply");
  ExpectRefused(std::string((1 << 20) + 1, ' '), "more than a policy takes");
}

TEST(PolicyReaderTest, ShouldRefuseKeysThatStandTwice) {
  ExpectRefused(R"({"version": 1, "default": "deny", "default": "allow"})",
                "\"default\" stands twice");
  ExpectRefused(WithRule(R"({"action": "deny", "names": ["a"], "names": ["b"]})"), "stands twice");
}

TEST(PolicyReaderTest, ShouldRefuseUnknownKeys) {
  ExpectRefused(With(R"("rule": [])"), "the file: there is no key \"rule\"; expected: version");
  ExpectRefused(WithRule(R"({"action": "deny", "name": ["a"]})"),
                "rules[0]: there is no key \"name\"");
  ExpectRefused(With(R"("limits": {"bytes": 1})"), "limits: there is no key \"bytes\"");
}

TEST(PolicyReaderTest, ShouldRefuseWhatIsMissing) {
  ExpectRefused(R"({"default": "deny"})", "version is missing");
  ExpectRefused(R"({"version": 1})", "default is missing");
  ExpectRefused(WithRule(R"({"names": ["a"]})"), "rules[0].action is missing");
  ExpectRefused(WithRule(R"({"action": "allow"})"), "rules[0].names is missing");
}

TEST(PolicyReaderTest, ShouldRefuseValuesOfOtherTypes) {
  ExpectRefused(R"({"version": 2, "default": "deny"})", "version: expected 1, is 2");
  ExpectRefused(R"({"version": 1.0, "default": "deny"})", "version: expected 1");
  ExpectRefused(R"({"version": 1, "default": "maybe"})",
                "default: expected \"allow\" or \"deny\", is \"maybe\"");
  ExpectRefused(R"({"version": 1, "default": true})", "default: expected");
  ExpectRefused(With(R"("reader_states": 1)"), "reader_states: expected");
  ExpectRefused(With(R"("checkpoint_versions": null)"), "checkpoint_versions: expected");
  ExpectRefused(With(R"("comment": 1)"), "comment: expected text");
  ExpectRefused(With(R"("rules": {})"), "rules: expected a list");
  ExpectRefused(With(R"("limits": [])"), "limits: expected an object");
  ExpectRefused(WithRule("1"), "rules[0]: expected an object");
  ExpectRefused(WithRule(R"({"id": "", "action": "deny", "names": ["a"]})"),
                "rules[0].id: expected");
  ExpectRefused(WithRule(R"({"action": "deny", "names": "a"})"),
                "rules[0].names: expected a list of one or more patterns");
  ExpectRefused(WithRule(R"({"action": "deny", "names": []})"), "rules[0].names: expected");
  ExpectRefused(WithRule(R"({"action": "deny", "names": ["a", 1]})"),
                "rules[0].names[1]: expected text");
  ExpectRefused(WithRule(R"({"action": "deny", "names": ["a"], "dtypes": []})"), "rules[0].dtypes");
}

TEST(PolicyReaderTest, ShouldRefuseBadPatternsAndDtypes) {
  ExpectRefused(WithRule(R"({"action": "deny", "names": ["a", "b[0-9"]})"),
                "rules[0].names[1]: a bracket isn't closed, is \"b[0-9\"");
  ExpectRefused(WithRule(R"({"action": "deny", "names": ["a\u0000b"]})"), "control characters");
  ExpectRefused(WithRule(R"({"action": "deny", "names": ["a"], "dtypes": ["float32"]})"),
                "rules[0].dtypes[0]: expected a dtype such as float");
}

TEST(PolicyReaderTest, ShouldRefuseLimitsThatCantBeMeant) {
  const auto limits = [](const std::string& members) {
    return With("\"limits\": {" + members + "}");
  };
  ExpectRefused(limits(""), "limits: expected a limit or more");
  ExpectRefused(limits(R"("max_bytes": 0)"), "limits.max_bytes: expected a whole number from 1");
  ExpectRefused(limits(R"("max_bytes": -1)"), "limits.max_bytes");
  ExpectRefused(limits(R"("max_bytes": 1.5)"), "limits.max_bytes");
  ExpectRefused(limits(R"("max_bytes": "1")"), "limits.max_bytes");
  ExpectRefused(limits(R"("max_bytes": 18446744073709551615)"), "limits.max_bytes");
  ExpectRefused(limits(R"("bytes_per_second": 1e6)"), "limits.bytes_per_second");
  ExpectRefused(limits(R"("sends_per_second": 0)"), "limits.sends_per_second: expected a number");
  ExpectRefused(limits(R"("sends_per_second": true)"), "limits.sends_per_second");
  ExpectRefused(limits(R"("sends_per_second": 0.5)"), "nothing would ever leave");
  ExpectRefused(limits(R"("max_bytes": 1, "burst_seconds": 5)"),
                "limits.burst_seconds: stands beside");
  ExpectRefused(limits(R"("bytes_per_second": 1, "burst_seconds": 1e300)"), "limits.burst_seconds");
  ExpectRefused(WithRule(R"({"action": "deny", "names": ["a"], "limits": {"max_bytes": 1}})"),
                "rules[0].limits: a rule that denies has none");
}

TEST(PolicyReaderTest, ShouldRefuseRulesOfOneName) {
  const std::string rule = R"({"id": "one", "action": "deny", "names": ["a"]})";
  ExpectRefused(WithRule(rule + ", " + rule), "rules[1].id: an earlier rule is called 'one'");
}

TEST(PolicyReaderTest, ShouldReadTheExampleOfTheDocumentation) {
  std::ostringstream page;
  page << std::ifstream(absl::StrCat(EFL_SOURCE_DIR, "/docs/governance.md")).rdbuf();
  const std::string text = page.str();
  const std::string begin = "```json\n";
  const size_t at = text.find(begin);
  ASSERT_NE(at, std::string::npos);
  const size_t from = at + begin.size();
  EgressPolicy policy;
  ASSERT_EQ(EgressPolicy::Parse(text.substr(from, text.find("```", from) - from), &policy).Text(),
            "OK");
  const auto rule_for = [&policy](const char* name, int32_t dtype) -> std::string {
    const EgressRule* rule = policy.RuleFor({name, 0, dtype, {}, 4});
    return rule == nullptr ? "default" : rule->id;
  };
  EXPECT_EQ(rule_for("fc1", kFloat), "activations");
  EXPECT_EQ(rule_for("fc1_grad", kBfloat16), "activations");
  EXPECT_EQ(rule_for("fc1", kDouble), "default");
  EXPECT_EQ(rule_for("fc1_labels", kFloat), "no-labels");
  EXPECT_EQ(rule_for("sample_ids", kInt64), "sample-ids");
  EXPECT_FALSE(policy.allow_by_default);
  EXPECT_TRUE(policy.allow_reader_states && policy.allow_checkpoint_versions);
}

TEST(PolicyReaderTest, ShouldRefuseWhatIsCutShort) {
  const std::string whole = kWhole;
  for (size_t size = 0; size < whole.size(); ++size) {
    EgressPolicy policy;
    EXPECT_FALSE(EgressPolicy::Parse(whole.substr(0, size), &policy).ok()) << size;
  }
}

}  // namespace
}  // namespace efl
