#include <string>
#include <utility>
#include <vector>

#include "tensorflow/async_run.h"
#include "tensorflow/ops.h"
#include "tensorflow/string_codec.h"

namespace efl_tf {
namespace {

constexpr TF_DataType kString = 7;

class SendTensorRun final : public AsyncRun {
 public:
  using AsyncRun::AsyncRun;

 protected:
  const char* operation() const override { return "send tensor"; }
  int64_t step() const override { return step_; }

  std::string Start() override {
    step_ = efl_peer_step(peer());
    TfTensor input;
    const std::string wrong = GetInput(0, &input);
    if (!wrong.empty()) return wrong;
    for (int i = 0; i < TF_NumDims(input.get()); ++i) dims_.push_back(TF_Dim(input.get(), i));
    if (TF_TensorType(input.get()) == kString) {
      SendEncoded(std::move(input));
    } else {
      SendInPlace(std::move(input));
    }
    return "";
  }

 private:
  // The tensor's buffer stays alive, and TensorFlow writes nothing into it, while the TF_Tensor
  // refers to it.
  void SendInPlace(TfTensor input) {
    const TF_DataType dtype = TF_TensorType(input.get());
    const void* data = TF_TensorData(input.get());
    const size_t size =
        static_cast<size_t>(TF_TensorElementCount(input.get())) * TF_DataTypeSize(dtype);
    Send(dtype, data, size, &ReleaseTensor, input.release());
  }

  void SendEncoded(TfTensor input) {
    const auto* strings = static_cast<const TF_TString*>(TF_TensorData(input.get()));
    const auto count = static_cast<size_t>(TF_TensorElementCount(input.get()));
    auto encoded = std::make_unique<std::string>(EncodeStrings(strings, count));
    input.reset();
    const void* data = encoded->data();
    const size_t size = encoded->size();
    Send(kString, data, size, &ReleaseString, encoded.release());
  }

  void Send(TF_DataType dtype, const void* data, size_t size, void (*release)(void*), void* token) {
    efl_tensor tensor;
    tensor.name = attributes().name.c_str();
    tensor.step = step_;
    tensor.dtype = dtype;
    tensor.rank = static_cast<int32_t>(dims_.size());
    tensor.dims = dims_.data();
    tensor.data = data;
    tensor.size = size;
    tensor.release = release;
    tensor.release_token = token;
    const efl_call call = Call();
    efl_peer_send_tensor(peer(), &tensor, &call);
  }

  static void ReleaseTensor(void* token) { TF_DeleteTensor(static_cast<TF_Tensor*>(token)); }
  static void ReleaseString(void* token) { delete static_cast<std::string*>(token); }

  int64_t step_ = -1;
  std::vector<int64_t> dims_;
};

}  // namespace

void ComputeSendTensor(void* kernel, TF_OpKernelContext* context,
                       TF_AsyncOpKernelDoneCallback* done) {
  AsyncRun::Begin(std::make_unique<SendTensorRun>(AttributesOf(kernel), context, done));
}

}  // namespace efl_tf
