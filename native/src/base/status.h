// The outcome of an operation: a canonical code, why, and what it was about.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace efl {

// Numbers of gRPC and of tensorflow.error.Code.
enum class Code : int32_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// A number from the wire; what isn't one of the above is kUnknown.
Code CodeFromNumber(int64_t number);
const char* CodeName(Code code);

// What a status is about. Empty and -1 stand for "none".
struct Subject {
  std::string operation;
  std::string name;
  int64_t step = -1;
  std::string peer;
};

// Costs nothing when OK; copies share one immutable state.
class Status {
 public:
  Status() = default;
  Status(Code code, std::string message);

  bool ok() const { return state_ == nullptr; }
  Code code() const { return ok() ? Code::kOk : state_->code; }
  const std::string& message() const;
  const Subject& subject() const;

  // The same outcome, said of this subject; an OK status stays as it is.
  Status About(const Subject& subject) const;

  // The same outcome, of which the other party learns this instead of the message.
  Status Telling(const std::string& told) const;
  const std::string& told() const;
  bool tells_less() const { return !ok() && state_->told != nullptr; }

  // "<CODE>: <operation> '<name>' step <n>, peer <peer>: <message>"; "OK".
  std::string Text() const;
  // The same with what the other party learns.
  std::string ToldText() const;

 private:
  struct State {
    Code code;
    std::string message;
    Subject subject;
    std::shared_ptr<const std::string> told;  // null: the message
  };
  std::string TextWith(const std::string& message) const;
  std::shared_ptr<const State> state_;
};

}  // namespace efl
