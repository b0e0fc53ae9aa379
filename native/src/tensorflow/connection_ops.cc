#include <string>

#include "tensorflow/async_run.h"
#include "tensorflow/ops.h"

namespace efl_tf {
namespace {

class ConnectRun final : public AsyncRun {
 public:
  using AsyncRun::AsyncRun;

 protected:
  const char* operation() const override { return "connect"; }

  std::string Start() override {
    const efl_call call = Call();
    efl_peer_connect(peer(), &call);
    return "";
  }
};

// The next two are not asynchronous in themselves; an AsyncRun finds the communicator and reports
// as the others do.
class CloseConnectionRun final : public AsyncRun {
 public:
  using AsyncRun::AsyncRun;

 protected:
  const char* operation() const override { return "close connection"; }

  std::string Start() override {
    efl_peer_close(peer());
    CompleteNow();
    return "";
  }
};

class AddStepRun final : public AsyncRun {
 public:
  using AsyncRun::AsyncRun;

 protected:
  const char* operation() const override { return "add step"; }

  std::string Start() override {
    const std::string wrong = SetInt64(0, efl_peer_add_step(peer()));
    if (wrong.empty()) CompleteNow();
    return wrong;
  }
};

}  // namespace

void ComputeConnect(void* kernel, TF_OpKernelContext* context, TF_AsyncOpKernelDoneCallback* done) {
  AsyncRun::Begin(std::make_unique<ConnectRun>(AttributesOf(kernel), context, done));
}

void ComputeCloseConnection(void* kernel, TF_OpKernelContext* context,
                            TF_AsyncOpKernelDoneCallback* done) {
  AsyncRun::Begin(std::make_unique<CloseConnectionRun>(AttributesOf(kernel), context, done));
}

void ComputeAddStep(void* kernel, TF_OpKernelContext* context, TF_AsyncOpKernelDoneCallback* done) {
  AsyncRun::Begin(std::make_unique<AddStepRun>(AttributesOf(kernel), context, done));
}

}  // namespace efl_tf
