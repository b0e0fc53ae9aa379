#include "base/status.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace efl {
namespace {

constexpr const char* kNames[] = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};
constexpr int64_t kCodes = sizeof(kNames) / sizeof(kNames[0]);

}  // namespace

Code CodeFromNumber(int64_t number) {
  return number >= 0 && number < kCodes ? static_cast<Code>(number) : Code::kUnknown;
}

const char* CodeName(Code code) { return kNames[static_cast<int32_t>(code)]; }

Status::Status(Code code, std::string message) {
  if (code != Code::kOk) {
    state_ = std::make_shared<const State>(State{code, std::move(message), Subject{}, nullptr});
  }
}

const std::string& Status::message() const {
  static const std::string& none = *new std::string;
  return ok() ? none : state_->message;
}

const Subject& Status::subject() const {
  static const Subject& none = *new Subject;
  return ok() ? none : state_->subject;
}

Status Status::About(const Subject& subject) const {
  if (ok()) return *this;
  Status said;
  said.state_ =
      std::make_shared<const State>(State{state_->code, state_->message, subject, state_->told});
  return said;
}

Status Status::Telling(const std::string& told) const {
  if (ok()) return *this;
  Status said;
  said.state_ = std::make_shared<const State>(State{state_->code, state_->message, state_->subject,
                                                    std::make_shared<const std::string>(told)});
  return said;
}

const std::string& Status::told() const { return tells_less() ? *state_->told : message(); }

std::string Status::Text() const { return TextWith(message()); }

std::string Status::ToldText() const { return TextWith(told()); }

std::string Status::TextWith(const std::string& message) const {
  if (ok()) return "OK";
  const Subject& about = state_->subject;
  std::string text = absl::StrCat(CodeName(state_->code), ": ");
  if (!about.operation.empty()) {
    absl::StrAppend(&text, about.operation);
    if (!about.name.empty()) absl::StrAppend(&text, " '", about.name, "'");
    if (about.step >= 0) absl::StrAppend(&text, " step ", about.step);
    if (!about.peer.empty()) absl::StrAppend(&text, ", peer ", about.peer);
    absl::StrAppend(&text, ": ");
  }
  absl::StrAppend(&text, message);
  return text;
}

}  // namespace efl
