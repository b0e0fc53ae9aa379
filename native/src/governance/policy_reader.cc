// The text of an egress policy, read strictly: what isn't understood is refused, never passed over.
#include <algorithm>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/name_pattern.h"
#include "governance/egress_policy.h"

namespace efl {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostBytes = 1 << 20;
constexpr int kDeepest = 6;
// Of a value that is shown to the user.
constexpr size_t kMostShown = 60;
constexpr int64_t kMostAllowed = int64_t{1} << 50;

Status Invalid(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// The place of a value, such as rules[2].limits.
std::string Under(const std::string& place, std::string_view key) {
  return place.empty() ? std::string(key) : absl::StrCat(place, ".", std::string(key));
}

Status Expected(const std::string& place, std::string_view what, const Json& is) {
  std::string shown = is.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (shown.size() > kMostShown) shown = shown.substr(0, kMostShown) + "…";
  return Invalid(absl::StrCat(place.empty() ? "the file" : place, ": expected ", std::string(what),
                              ", is ", shown));
}

// As the library says it, without its own number.
std::string WithoutNumber(const std::string& said) {
  const size_t end = said.find("] ");
  return said.substr(0, 1) == "[" && end != std::string::npos ? said.substr(end + 2) : said;
}

// JSON as it is written. Of a key that stands twice the library would take one, and a NUL for the
// end of the text.
Status ReadJson(std::string_view text, Json* json) {
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return Invalid(absl::StrCat("not JSON: byte ", nul, " is NUL"));
  }
  std::vector<std::set<std::string>> keys;
  Status wrong;
  const auto look = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDeepest && wrong.ok()) wrong = Invalid("values stand in each other too deeply");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.empty()) {
      const auto& key = parsed.get_ref<const std::string&>();
      const bool twice = !keys.back().insert(key).second;
      if (twice && wrong.ok()) {
        wrong = Invalid(absl::StrCat("the key ", parsed.dump(), " stands twice in an object"));
      }
    }
    return wrong.ok();
  };
  try {
    *json = Json::parse(text.begin(), text.end(), look);
  } catch (const Json::exception& error) {
    return wrong.ok() ? Invalid(absl::StrCat("not JSON: ", WithoutNumber(error.what()))) : wrong;
  }
  return wrong;
}

// One object of the file.
class Section {
 public:
  Section(const Json& object, std::string place) : object_(object), place_(std::move(place)) {}

  // Whether it is an object that has no other keys than these.
  Status Check(std::initializer_list<const char*> known) const {
    if (!object_.is_object()) return Expected(place_, "an object", object_);
    for (const auto& [key, value] : object_.items()) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      std::string all;
      for (const char* one : known) absl::StrAppend(&all, all.empty() ? "" : ", ", one);
      return Invalid(absl::StrCat(place_.empty() ? "the file" : place_, ": there is no key ",
                                  Json(key).dump(), "; expected: ", all));
    }
    return Comment();
  }

  const Json* Find(const char* key) const {
    const auto at = object_.find(key);
    return at == object_.end() ? nullptr : &*at;
  }
  std::string Place(const char* key) const { return Under(place_, key); }
  Status Missing(const char* key) const { return Invalid(absl::StrCat(Place(key), " is missing")); }

  // allow or deny; where it isn't said, it stays as it is unless it has to be.
  Status Action(const char* key, bool required, bool* allow) const {
    const Json* value = Find(key);
    if (value == nullptr) return required ? Missing(key) : Status();
    if (*value != "allow" && *value != "deny") {
      return Expected(Place(key), "\"allow\" or \"deny\"", *value);
    }
    *allow = *value == "allow";
    return {};
  }

  Status Whole(const char* key, int64_t least, int64_t most, int64_t* number) const {
    const Json* value = Find(key);
    if (value == nullptr) return {};
    const std::string what = absl::StrCat("a whole number from ", least, " to ", most);
    if (!value->is_number_integer() ||
        (value->is_number_unsigned() &&
         value->get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()})) {
      return Expected(Place(key), what, *value);
    }
    *number = value->get<int64_t>();
    return *number < least || *number > most ? Expected(Place(key), what, *value) : Status();
  }

  Status Positive(const char* key, double most, double* number) const {
    const Json* value = Find(key);
    if (value == nullptr) return {};
    const bool fits =
        value->is_number() && value->get<double>() > 0 && value->get<double>() <= most;
    if (!fits) {
      return Expected(Place(key), absl::StrCat("a number greater than 0, up to ", most), *value);
    }
    *number = value->get<double>();
    return {};
  }

  // A list of one text or more, each of which `take` checks.
  template <typename Take>
  Status Texts(const char* key, std::string_view what, const Take& take) const {
    const Json* value = Find(key);
    if (value == nullptr) return {};
    const std::string expected = absl::StrCat("a list of one or more ", std::string(what));
    if (!value->is_array() || value->empty()) return Expected(Place(key), expected, *value);
    for (size_t i = 0; i < value->size(); ++i) {
      const Json& one = (*value)[i];
      const std::string place = absl::StrCat(Place(key), "[", i, "]");
      if (!one.is_string()) return Expected(place, "text", one);
      const Status status = take(one.get_ref<const std::string&>());
      if (!status.ok()) {
        return Invalid(absl::StrCat(place, ": ", status.message(), ", is ", one.dump()));
      }
    }
    return {};
  }

 private:
  Status Comment() const {
    const Json* comment = Find("comment");
    return comment == nullptr || comment->is_string()
               ? Status()
               : Expected(Place("comment"), "text", *comment);
  }

  const Json& object_;
  const std::string place_;
};

Status ReadLimits(const Section& of, EgressLimits* limits) {
  const Json* value = of.Find("limits");
  if (value == nullptr) return {};
  const Section section(*value, of.Place("limits"));
  Status status =
      section.Check({"max_bytes", "bytes_per_second", "sends_per_second", "burst_seconds"});
  if (status.ok()) status = section.Whole("max_bytes", 1, kMostAllowed, &limits->max_bytes);
  if (status.ok()) {
    status = section.Whole("bytes_per_second", 1, kMostAllowed, &limits->bytes_per_second);
  }
  if (status.ok()) status = section.Positive("sends_per_second", 1e9, &limits->sends_per_second);
  if (status.ok()) status = section.Positive("burst_seconds", 86'400, &limits->burst_seconds);
  if (!status.ok()) return status;
  if (value->empty()) return Expected(of.Place("limits"), "a limit or more", *value);
  const bool rate = limits->sends_per_second > 0 || limits->bytes_per_second > 0;
  if (!rate && section.Find("burst_seconds") != nullptr) {
    return Invalid(absl::StrCat(section.Place("burst_seconds"),
                                ": stands beside bytes_per_second or sends_per_second"));
  }
  if (limits->sends_per_second > 0 && limits->sends_per_second * limits->burst_seconds < 1) {
    return Invalid(absl::StrCat(section.Place("sends_per_second"),
                                ": nothing would ever leave; expected 1 or more when multiplied by "
                                "burst_seconds, which is ",
                                limits->burst_seconds));
  }
  return {};
}

Status ReadId(const Section& section, std::string* id) {
  const Json* value = section.Find("id");
  if (value == nullptr) return {};
  if (!value->is_string() || *value == "") return Expected(section.Place("id"), "text", *value);
  *id = value->get<std::string>();
  return {};
}

Status ReadRule(const Section& section, EgressRule* rule) {
  Status status = section.Check({"id", "comment", "action", "names", "dtypes", "limits"});
  if (status.ok()) status = ReadId(section, &rule->id);
  if (status.ok()) status = section.Action("action", true, &rule->allow);
  if (status.ok() && section.Find("names") == nullptr) status = section.Missing("names");
  if (status.ok()) {
    status = section.Texts("names", "patterns of names", [rule](const std::string& pattern) {
      rule->names.push_back(pattern);
      return CheckNamePattern(pattern);
    });
  }
  if (status.ok()) {
    status = section.Texts("dtypes", "dtypes", [rule](const std::string& name) -> Status {
      rule->dtypes.push_back(DTypeOfName(name));
      if (rule->dtypes.back() != 0) return {};
      return Invalid("expected a dtype such as float, int64 or string");
    });
  }
  if (status.ok() && !rule->allow && section.Find("limits") != nullptr) {
    status = Invalid(absl::StrCat(section.Place("limits"),
                                  ": a rule that denies has none; put them into one that allows"));
  }
  return status.ok() ? ReadLimits(section, &rule->limits) : status;
}

Status ReadRules(const Section& file, std::vector<EgressRule>* rules) {
  const Json* list = file.Find("rules");
  if (list == nullptr) return {};
  if (!list->is_array()) return Expected("rules", "a list", *list);
  std::set<std::string> ids;
  for (size_t i = 0; i < list->size(); ++i) {
    const std::string place = absl::StrCat("rules[", i, "]");
    EgressRule rule;
    rule.id = place;
    if (Status status = ReadRule({(*list)[i], place}, &rule); !status.ok()) return status;
    if (!ids.insert(rule.id).second) {
      return Invalid(absl::StrCat(place, ".id: an earlier rule is called '", rule.id, "' already"));
    }
    rules->push_back(std::move(rule));
  }
  return {};
}

Status ReadVersion(const Section& file) {
  const Json* version = file.Find("version");
  if (version == nullptr) return file.Missing("version");
  return *version == 1 && version->is_number_integer() ? Status()
                                                       : Expected("version", "1", *version);
}

}  // namespace

Status EgressPolicy::Parse(std::string_view text, EgressPolicy* policy) {
  *policy = {};
  if (text.size() > kMostBytes) {
    return Invalid(absl::StrCat(text.size(), " bytes are more than a policy takes: ", kMostBytes));
  }
  Json json;
  if (Status status = ReadJson(text, &json); !status.ok()) return status;
  const Section file(json, "");
  Status status = file.Check(
      {"version", "comment", "default", "rules", "limits", "reader_states", "checkpoint_versions"});
  if (status.ok()) status = ReadVersion(file);
  if (status.ok()) status = file.Action("default", true, &policy->allow_by_default);
  policy->allow_reader_states = policy->allow_checkpoint_versions = policy->allow_by_default;
  if (status.ok()) status = file.Action("reader_states", false, &policy->allow_reader_states);
  if (status.ok()) {
    status = file.Action("checkpoint_versions", false, &policy->allow_checkpoint_versions);
  }
  if (status.ok()) status = ReadLimits(file, &policy->limits);
  if (status.ok()) status = ReadRules(file, &policy->rules);
  return status;
}

}  // namespace efl
