// One execution of an asynchronous op, from TensorFlow's call to its `done`.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "efl/efl.h"
#include "tensorflow/kernel_attributes.h"
#include "tensorflow/tf_handles.h"

namespace efl_tf {

// Made in the compute function, given to the kernel as the token of an efl_call, deleted when that
// call has ended. Derived classes keep what the operation needs meanwhile.
class AsyncRun {
 public:
  AsyncRun(const KernelAttributes& attributes, TF_OpKernelContext* context,
           TF_AsyncOpKernelDoneCallback* done);
  virtual ~AsyncRun() = default;
  AsyncRun(const AsyncRun&) = delete;
  AsyncRun& operator=(const AsyncRun&) = delete;

  // Finds the communicator and starts the operation, or ends the run. `run` may be gone afterwards.
  static void Begin(std::unique_ptr<AsyncRun> run);

 protected:
  // Starts the operation with Call(), exactly once, as its last act, or returns what is wrong.
  virtual std::string Start() = 0;
  // The operation has succeeded: sets the outputs, or returns what is wrong.
  virtual std::string Complete(const efl_result& result);

  efl_call Call();
  // In place of an operation, from Start(): the run has succeeded. The run is gone afterwards.
  void CompleteNow();
  // Ends the run with this failure instead of the operation's own.
  void Override(efl_code code, const std::string& reason);
  // What the op asks of the peer, as in the kernel's texts: "receive tensor". For failures that are
  // found here.
  virtual const char* operation() const = 0;
  virtual int64_t step() const { return -1; }

  // Sets an output to a scalar, or returns what is wrong.
  std::string SetString(int output, const char* text, size_t size);
  std::string SetInt64(int output, int64_t value);
  // "" and the input, or what is wrong.
  std::string GetInput(int input, TfTensor* tensor);
  // Likewise an input that has to be a scalar; a string with a NUL in it is refused.
  std::string GetString(int input, std::string* value);
  std::string GetInt64(int input, int64_t* value);

  const KernelAttributes& attributes() const { return attributes_; }
  TF_OpKernelContext* context() { return context_; }
  efl_peer* peer() { return peer_.get(); }

 private:
  static void Done(void* token, const efl_status* status, const efl_result* result);
  static void FailHere(std::unique_ptr<AsyncRun> run, efl_code code, const char* peer,
                       const std::string& reason);
  void Fail(int32_t code, const char* text);
  void Finish();

  const KernelAttributes& attributes_;
  TF_OpKernelContext* context_;
  std::function<void()> done_;
  EflPeer peer_;
  efl_code override_code_ = EFL_OK;
  std::string override_reason_;
};

}  // namespace efl_tf
