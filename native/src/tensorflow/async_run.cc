#include "tensorflow/async_run.h"

namespace efl_tf {
namespace {

const char* CodeName(efl_code code) {
  switch (code) {
    case EFL_INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case EFL_NOT_FOUND:
      return "NOT_FOUND";
    case EFL_DATA_LOSS:
      return "DATA_LOSS";
    case EFL_RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    default:
      return "INTERNAL";
  }
}

}  // namespace

// TensorFlow's object behind `done` is gone when the compute function returns; a copy of it isn't.
AsyncRun::AsyncRun(const KernelAttributes& attributes, TF_OpKernelContext* context,
                   TF_AsyncOpKernelDoneCallback* done)
    : attributes_(attributes),
      context_(context),
      done_(*reinterpret_cast<std::function<void()>*>(done)) {}

void AsyncRun::Begin(std::unique_ptr<AsyncRun> run) {
  EflStatus status = NewEflStatus();
  run->peer_.reset(efl_peer_find(run->attributes_.communicator.c_str(), status.get()));
  if (run->peer_ == nullptr) {
    const auto code = static_cast<efl_code>(efl_status_code(status.get()));
    const std::string reason = efl_status_message(status.get());
    FailHere(std::move(run), code, "", reason);
    return;
  }
  AsyncRun* raw = run.release();
  const std::string wrong = raw->Start();
  if (wrong.empty()) return;
  FailHere(std::unique_ptr<AsyncRun>(raw), EFL_INVALID_ARGUMENT, "", wrong);
}

std::string AsyncRun::Complete(const efl_result&) { return ""; }

efl_call AsyncRun::Call() {
  efl_call call;
  // Sessions and functions number their runs from 1. Eager ops are runs of their own and have 0,
  // which is no group.
  call.group = static_cast<uint64_t>(TF_GetStepId(context_));
  call.timeout_ms = -1;  // the communicator's default
  call.done = &AsyncRun::Done;
  call.token = this;
  return call;
}

void AsyncRun::CompleteNow() {
  std::unique_ptr<AsyncRun> run(this);
  run->Finish();
}

void AsyncRun::Override(efl_code code, const std::string& reason) {
  override_code_ = code;
  override_reason_ = reason;
}

void AsyncRun::Done(void* token, const efl_status* status, const efl_result* result) {
  std::unique_ptr<AsyncRun> run(static_cast<AsyncRun*>(token));
  efl_code code = run->override_code_;
  std::string wrong = run->override_reason_;
  if (code == EFL_OK && efl_status_code(status) == EFL_OK) {
    code = EFL_DATA_LOSS;
    wrong = run->Complete(*result);
  }
  if (!wrong.empty()) {
    FailHere(std::move(run), code, efl_status_peer(status), wrong);
    return;
  }
  if (efl_status_code(status) != EFL_OK) {
    run->Fail(efl_status_code(status), efl_status_text(status));
  }
  run->Finish();
}

// A failure that the kernel doesn't know of: the other ops of the run have to learn of it, after
// TensorFlow, which tells the first.
void AsyncRun::FailHere(std::unique_ptr<AsyncRun> run, efl_code code, const char* peer,
                        const std::string& reason) {
  std::string text = std::string(CodeName(code)) + ": " + run->operation();
  const std::string& name = run->attributes_.name;
  if (!name.empty()) text += " '" + name + "'";
  if (run->step() >= 0) text += " step " + std::to_string(run->step());
  if (*peer != '\0') text += std::string(", peer ") + peer;
  text += ": " + reason;
  const uint64_t group = run->Call().group;
  const EflPeer communicator = std::move(run->peer_);
  run->Fail(code, text.c_str());
  run->Finish();
  if (group == 0 || communicator == nullptr) return;
  efl_peer_fail_group(communicator.get(), group, text.c_str());
}

void AsyncRun::Fail(int32_t code, const char* text) {
  TfStatus status = NewTfStatus();
  TF_SetStatus(status.get(), code, text);
  TF_OpKernelContext_Failure(context_, status.get());
}

// The kernel and its attributes may be gone when `done` returns.
void AsyncRun::Finish() {
  const std::function<void()> done = std::move(done_);
  peer_.reset();
  done();
}

std::string AsyncRun::SetString(int output, const char* text, size_t size) {
  TfStatus status = NewTfStatus();
  TfTensor tensor(
      TF_AllocateOutput(context_, output, 7, nullptr, 0, sizeof(TF_TString), status.get()));
  if (!Ok(status)) return TF_Message(status.get());
  TF_StringCopy(static_cast<TF_TString*>(TF_TensorData(tensor.get())), text, size);
  return "";
}

std::string AsyncRun::SetInt64(int output, int64_t value) {
  TfStatus status = NewTfStatus();
  TfTensor tensor(TF_AllocateOutput(context_, output, 9, nullptr, 0, sizeof(value), status.get()));
  if (!Ok(status)) return TF_Message(status.get());
  *static_cast<int64_t*>(TF_TensorData(tensor.get())) = value;
  return "";
}

std::string AsyncRun::GetInput(int input, TfTensor* tensor) {
  TfStatus status = NewTfStatus();
  TF_Tensor* raw = nullptr;
  TF_GetInput(context_, input, &raw, status.get());
  if (!Ok(status)) return TF_Message(status.get());
  tensor->reset(raw);
  return "";
}

std::string AsyncRun::GetString(int input, std::string* value) {
  TfTensor tensor;
  const std::string wrong = GetInput(input, &tensor);
  if (!wrong.empty()) return wrong;
  if (TF_NumDims(tensor.get()) != 0) return "not a scalar";
  const auto* text = static_cast<const TF_TString*>(TF_TensorData(tensor.get()));
  value->assign(TF_StringGetDataPointer(text), TF_StringGetSize(text));
  return value->find('\0') == std::string::npos ? "" : "has a NUL in it";
}

std::string AsyncRun::GetInt64(int input, int64_t* value) {
  TfTensor tensor;
  const std::string wrong = GetInput(input, &tensor);
  if (!wrong.empty()) return wrong;
  if (TF_NumDims(tensor.get()) != 0) return "not a scalar";
  *value = *static_cast<const int64_t*>(TF_TensorData(tensor.get()));
  return "";
}

}  // namespace efl_tf
