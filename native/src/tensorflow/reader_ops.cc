#include <string>

#include "tensorflow/async_run.h"
#include "tensorflow/ops.h"

namespace efl_tf {
namespace {

class SendReaderStateRun final : public AsyncRun {
 public:
  using AsyncRun::AsyncRun;

 protected:
  const char* operation() const override { return "send reader state"; }

  std::string Start() override {
    std::string block;
    std::string wrong = GetString(0, &block);
    if (!wrong.empty()) return "block_id: " + wrong;
    int64_t index = 0;
    wrong = GetInt64(1, &index);
    if (!wrong.empty()) return "sample_index: " + wrong;
    const efl_call call = Call();
    efl_peer_send_reader_state(peer(), attributes().name.c_str(), block.c_str(), index, &call);
    return "";
  }
};

class RecvReaderStateRun final : public AsyncRun {
 public:
  using AsyncRun::AsyncRun;

 protected:
  const char* operation() const override { return "receive reader state"; }

  std::string Start() override {
    const efl_call call = Call();
    efl_peer_receive_reader_state(peer(), attributes().name.c_str(), &call);
    return "";
  }

  std::string Complete(const efl_result& result) override {
    const std::string wrong = SetString(0, result.text, result.text_size);
    return wrong.empty() ? SetInt64(1, result.index) : wrong;
  }
};

class TerminateReaderRun final : public AsyncRun {
 public:
  using AsyncRun::AsyncRun;

 protected:
  const char* operation() const override { return "terminate reader"; }

  std::string Start() override {
    const efl_call call = Call();
    efl_peer_terminate_reader(peer(), attributes().name.c_str(), &call);
    return "";
  }
};

}  // namespace

void ComputeSendReaderState(void* kernel, TF_OpKernelContext* context,
                            TF_AsyncOpKernelDoneCallback* done) {
  AsyncRun::Begin(std::make_unique<SendReaderStateRun>(AttributesOf(kernel), context, done));
}

void ComputeRecvReaderState(void* kernel, TF_OpKernelContext* context,
                            TF_AsyncOpKernelDoneCallback* done) {
  AsyncRun::Begin(std::make_unique<RecvReaderStateRun>(AttributesOf(kernel), context, done));
}

void ComputeTerminateReader(void* kernel, TF_OpKernelContext* context,
                            TF_AsyncOpKernelDoneCallback* done) {
  AsyncRun::Begin(std::make_unique<TerminateReaderRun>(AttributesOf(kernel), context, done));
}

}  // namespace efl_tf
