#include "governance/egress_policy.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/name_pattern.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"

namespace efl::fuzz {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

// The same policy as another JSON library reads it, and decides plainly by it.
class OtherReader {
 public:
  explicit OtherReader(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
      text.remove_prefix(kByteOrderMark.size());
    }
    Check(google::protobuf::util::JsonStringToMessage(std::string(text), &file_).ok(),
          "what is accepted is JSON");
  }

  bool Allows(const char* what) const {
    const Value* said = Find(file_, what);
    if (said == nullptr) said = Find(file_, "default");
    return said != nullptr && said->string_value() == "allow";
  }

  // The number of the first rule that fits; that of all rules: none.
  int RuleFor(const TensorInfo& info) const {
    int number = 0;
    for (const Value& rule : Rules()) {
      if (Fits(rule.struct_value(), info)) break;
      ++number;
    }
    return number;
  }
  bool RuleAllows(int number) const {
    const Value* said = Find(Rules().Get(number).struct_value(), "action");
    return said != nullptr && said->string_value() == "allow";
  }

  // Names that patterns may fit: what they are written as, and a few of any.
  std::vector<std::string> Names() const {
    std::vector<std::string> names = {"", "x", "grad/x:0"};
    for (const Value& rule : Rules()) {
      for (const Value& pattern : List(rule.struct_value(), "names")) {
        names.push_back(pattern.string_value());
      }
    }
    return names;
  }

 private:
  using Values = google::protobuf::RepeatedPtrField<Value>;

  static const Value* Find(const Struct& object, const char* key) {
    const auto at = object.fields().find(key);
    return at == object.fields().end() ? nullptr : &at->second;
  }
  static const Values& List(const Struct& object, const char* key) {
    static const Values none;
    const Value* value = Find(object, key);
    return value == nullptr ? none : value->list_value().values();
  }
  const Values& Rules() const { return List(file_, "rules"); }

  static bool Fits(const Struct& rule, const TensorInfo& info) {
    const Values& dtypes = List(rule, "dtypes");
    const bool typed =
        dtypes.empty() || std::any_of(dtypes.begin(), dtypes.end(), [&](const Value& dtype) {
          return DTypeOfName(dtype.string_value()) == info.dtype;
        });
    const Value* action = Find(rule, "action");
    const bool denies = action != nullptr && action->string_value() == "deny";
    for (const Value& pattern : List(rule, "names")) {
      if (typed && NameFits(pattern.string_value(), info.name, denies)) return true;
    }
    return false;
  }

  Struct file_;
};

// protobuf's headers give messages another layout under ThreadSanitizer than its library has.
#if defined(__SANITIZE_THREAD__)
constexpr bool kOtherReaderFits = false;
#else
constexpr bool kOtherReaderFits = true;
#endif

// Few enough that a long policy doesn't make the fuzzer slow.
constexpr size_t kMostNames = 16;

}  // namespace

void EgressPolicy(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  efl::EgressPolicy policy;
  const Status status = efl::EgressPolicy::Parse(text, &policy);
  if (!status.ok()) {
    Check(!status.message().empty(), "what is refused is refused with a reason");
    return;
  }
  if (!kOtherReaderFits) return;
  const OtherReader other(text);
  Check(policy.allow_by_default == other.Allows("default"), "the default is the one written");
  Check(policy.allow_reader_states == other.Allows("reader_states"), "so are reader states");
  Check(policy.allow_checkpoint_versions == other.Allows("checkpoint_versions"),
        "and checkpoint versions");
  std::vector<std::string> names = other.Names();
  names.resize(std::min(names.size(), kMostNames));
  for (const std::string& name : names) {
    for (const int32_t dtype : {kFloat, kInt64, kString}) {
      TensorInfo info;
      info.name = name;
      info.dtype = dtype;
      const EgressRule* rule = policy.RuleFor(info);
      const int number = other.RuleFor(info);
      const auto rules = static_cast<int>(policy.rules.size());
      Check(number == (rule == nullptr ? rules : static_cast<int>(rule - policy.rules.data())),
            "the first rule that fits decides");
      Check(rule == nullptr || rule->allow == other.RuleAllows(number), "as it is written");
    }
  }
}

}  // namespace efl::fuzz
