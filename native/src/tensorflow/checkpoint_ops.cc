#include <string>

#include "tensorflow/async_run.h"
#include "tensorflow/ops.h"

namespace efl_tf {
namespace {

class SendCheckpointVersionRun final : public AsyncRun {
 public:
  using AsyncRun::AsyncRun;

 protected:
  const char* operation() const override { return "send checkpoint version"; }

  std::string Start() override {
    std::string version;
    const std::string wrong = GetString(0, &version);
    if (!wrong.empty()) return "version: " + wrong;
    const efl_call call = Call();
    efl_peer_send_checkpoint_version(peer(), version.c_str(), &call);
    return "";
  }
};

class RecvCheckpointVersionRun final : public AsyncRun {
 public:
  using AsyncRun::AsyncRun;

 protected:
  const char* operation() const override { return "receive checkpoint version"; }

  std::string Start() override {
    const efl_call call = Call();
    efl_peer_receive_checkpoint_version(peer(), &call);
    return "";
  }

  std::string Complete(const efl_result& result) override {
    return SetString(0, result.text, result.text_size);
  }
};

}  // namespace

void ComputeSendCheckpointVersion(void* kernel, TF_OpKernelContext* context,
                                  TF_AsyncOpKernelDoneCallback* done) {
  AsyncRun::Begin(std::make_unique<SendCheckpointVersionRun>(AttributesOf(kernel), context, done));
}

void ComputeRecvCheckpointVersion(void* kernel, TF_OpKernelContext* context,
                                  TF_AsyncOpKernelDoneCallback* done) {
  AsyncRun::Begin(std::make_unique<RecvCheckpointVersionRun>(AttributesOf(kernel), context, done));
}

}  // namespace efl_tf
