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
    state_ = std::make_shared<const State>(State{code, std::move(message), Subject{}});
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
  said.state_ = std::make_shared<const State>(State{state_->code, state_->message, subject});
  return said;
}

std::string Status::Text() const {
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
  absl::StrAppend(&text, state_->message);
  return text;
}

}  // namespace efl
