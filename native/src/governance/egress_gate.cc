#include "governance/egress_gate.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "governance/sha256.h"

namespace efl {
namespace {

// Somewhat more than Parse takes, so that it is the one to refuse what is too long.
constexpr size_t kMostRead = 2 << 20;

// False: errno says why.
bool ReadPolicy(const std::string& file, std::string* text) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "re"),
                                                           &std::fclose);
  if (in == nullptr) return false;
  text->resize(kMostRead);
  text->resize(std::fread(text->data(), 1, text->size(), in.get()));
  return std::ferror(in.get()) == 0;
}

}  // namespace

EgressGate::EgressGate(EgressPolicy policy, std::string file, Now now)
    : policy_(std::move(policy)),
      file_(std::move(file)),
      now_(std::move(now)),
      all_(policy_.limits, now_()) {
  for (const EgressRule& rule : policy_.rules) rates_.emplace_back(rule.limits, now_());
}

std::unique_ptr<EgressGate> EgressGate::Open(const std::string& file, Status* status) {
  const auto fail = [&](const std::string& why) {
    *status = {Code::kInvalidArgument,
               absl::StrCat("EFL_EGRESS_POLICY (egress_policy) '", file, "': ", why)};
    return nullptr;
  };
  std::string text;
  if (!ReadPolicy(file, &text)) return fail(absl::StrCat("can't be read: ", std::strerror(errno)));
  EgressPolicy policy;
  if (const Status wrong = EgressPolicy::Parse(text, &policy); !wrong.ok()) {
    return fail(wrong.message());
  }
  auto made = std::make_unique<EgressGate>(std::move(policy), file);
  made->sha256_ = Sha256Hex({text});
  *status = {};
  return made;
}

Status EgressGate::Deny(const std::string& why, const std::string& otherwise) const {
  return {Code::kPermissionDenied,
          absl::StrCat("denied by the egress policy, nothing of it has left: ", why, ". ",
                       otherwise.empty() ? "To" : absl::StrCat(otherwise, ", or, to"),
                       " let it out, change ", file_, " and start this party again")};
}

std::string EgressGate::Called(const EgressRule* rule) const {
  if (rule == nullptr) return absl::StrCat("the limits of ", file_);
  const auto number = rule - policy_.rules.data();
  const std::string place = absl::StrCat("rules[", number, "]");
  return absl::StrCat(rule->id == place ? place : absl::StrCat(place, " '", rule->id, "'"), " of ",
                      file_);
}

Status EgressGate::Admit(const TensorInfo& info) {
  if (!IsUtf8(info.name)) {
    return Deny("its name isn't UTF-8 text, so that no pattern can be held against it");
  }
  const auto bytes = static_cast<int64_t>(info.size);
  const EgressRule* rule = policy_.RuleFor(info);
  if (rule == nullptr) {
    if (policy_.allow_by_default) return Count(nullptr, nullptr, bytes);
    return Deny(absl::StrCat("no rule of ", file_, " fits a ", DTypeName(info.dtype),
                             " tensor of this name, and its default is deny"));
  }
  if (!rule->allow) return Deny(absl::StrCat(Called(rule), " says so"));
  if (Status status = CheckSize(rule, bytes); !status.ok()) return status;
  return Count(rule, &rates_[static_cast<size_t>(rule - policy_.rules.data())], bytes);
}

Status EgressGate::Admit(EgressText kind, int64_t bytes) {
  const bool reader = kind == EgressText::kReaderState;
  if (reader ? policy_.allow_reader_states : policy_.allow_checkpoint_versions) {
    return Count(nullptr, nullptr, bytes);
  }
  return Deny(absl::StrCat(reader ? "reader_states" : "checkpoint_versions", " of ", file_,
                           ", or its default, is deny"));
}

const EgressLimits& EgressGate::LimitsOf(const EgressRule* rule) const {
  return rule == nullptr ? policy_.limits : rule->limits;
}

Status EgressGate::CheckSize(const EgressRule* rule, int64_t bytes) const {
  const EgressLimits& limits = LimitsOf(rule);
  if (limits.max_bytes == 0 || bytes <= limits.max_bytes) return {};
  return Deny(absl::StrCat(Called(rule), " lets up to ", limits.max_bytes,
                           " bytes out, and it has ", bytes, " (max_bytes)"));
}

Status EgressGate::CheckRate(const EgressRule* rule, RateLimit* rate, int64_t bytes) const {
  const RateLimit::Clock::duration wait = rate->Wait(bytes, now_());
  if (wait == RateLimit::Clock::duration::zero()) return {};
  const EgressLimits& limits = LimitsOf(rule);
  std::string most;
  if (limits.bytes_per_second > 0) {
    absl::StrAppend(&most, "bytes_per_second=", limits.bytes_per_second, " ");
  }
  if (limits.sends_per_second > 0) {
    absl::StrAppend(&most, "sends_per_second=", limits.sends_per_second, " ");
  }
  const std::string why = absl::StrCat("its ", bytes, " bytes are over the rate of ", Called(rule),
                                       ": ", most, "burst_seconds=", limits.burst_seconds);
  if (wait == RateLimit::kNever) {
    return Deny(absl::StrCat(why, ", which never lets so much out at once"));
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
  return Deny(why, absl::StrCat("Send it again in ", ms, " ms"));
}

Status EgressGate::Count(const EgressRule* rule, RateLimit* rate, int64_t bytes) {
  if (Status status = CheckSize(nullptr, bytes); !status.ok()) return status;
  std::lock_guard<std::mutex> lock(mutex_);
  Status status = CheckRate(nullptr, &all_, bytes);
  if (status.ok() && rate != nullptr) status = CheckRate(rule, rate, bytes);
  if (!status.ok()) return status;
  all_.Take(bytes);
  if (rate != nullptr) rate->Take(bytes);
  return {};
}

}  // namespace efl
