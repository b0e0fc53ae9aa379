#include <new>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/async_run.h"
#include "tensorflow/ops.h"
#include "tensorflow/string_codec.h"

namespace efl_tf {
namespace {

constexpr TF_DataType kString = 7;
constexpr int32_t kMaxRank = 254;  // of a TensorShape

// "" when TensorFlow can hold a tensor of these dimensions; it aborts on others. *count: elements.
std::string CheckShape(const efl_tensor& tensor, int64_t* count) {
  *count = 1;
  if (tensor.rank < 0 || tensor.rank > kMaxRank) return "rank " + std::to_string(tensor.rank);
  for (int32_t i = 0; i < tensor.rank; ++i) {
    const int64_t dim = tensor.dims[i];
    if (dim < 0 || __builtin_mul_overflow(*count, dim, count)) {
      return "dimension " + std::to_string(dim);
    }
  }
  return "";
}

class RecvTensorRun final : public AsyncRun {
 public:
  using AsyncRun::AsyncRun;

 protected:
  const char* operation() const override { return "receive tensor"; }
  int64_t step() const override { return step_; }

  std::string Start() override {
    step_ = efl_peer_step(peer());
    const efl_call call = Call();
    efl_peer_receive_tensor(peer(), attributes().name.c_str(), step_, &Allocate, &call);
    return "";
  }

  std::string Complete(const efl_result&) override {
    return attributes().dtype == kString ? SetStrings() : "";
  }

 private:
  static void* Allocate(void* token, const efl_tensor* tensor) {
    return static_cast<RecvTensorRun*>(static_cast<AsyncRun*>(token))->Allocate(*tensor);
  }

  // On a kernel thread, with what a peer says of its tensor.
  void* Allocate(const efl_tensor& tensor) {
    const std::string wrong = Check(tensor);
    if (!wrong.empty()) {
      Override(EFL_INVALID_ARGUMENT, "what arrived does not fit this op: " + wrong);
      return nullptr;
    }
    return tensor.dtype == kString ? AllocateEncoded(tensor.size) : AllocateOutput(tensor.size);
  }

  std::string Check(const efl_tensor& tensor) {
    if (tensor.dtype != attributes().dtype) {
      return "dtype " + std::to_string(tensor.dtype) + " instead of " +
             std::to_string(attributes().dtype);
    }
    const std::string wrong = CheckShape(tensor, &count_);
    if (!wrong.empty()) return wrong;
    dims_.assign(tensor.dims, tensor.dims + tensor.rank);
    size_t expected = 0;
    if (tensor.dtype != kString &&
        (__builtin_mul_overflow(static_cast<size_t>(count_), TF_DataTypeSize(tensor.dtype),
                                &expected) ||
         expected != tensor.size)) {
      return std::to_string(tensor.size) + " bytes for " + std::to_string(count_) + " elements";
    }
    return "";
  }

  // Of this size on, fresh memory costs more than what keeps it for the next tensor.
  static constexpr size_t kPooled = 256 << 10;

  // The output itself: bytes land in it. It is the context's; the TF_Tensor goes, so that the next
  // op may take the buffer over.
  void* AllocateOutput(size_t size) {
    return size < kPooled ? AllocateByTensorFlow(size) : AllocateFromPool(size);
  }

  // A tensor over memory that returns to the pool when TensorFlow lets go of it.
  void* AllocateFromPool(size_t size) {
    void* const memory = efl_buffer_allocate(size);
    if (memory == nullptr) {
      Override(EFL_RESOURCE_EXHAUSTED, "there is no memory for " + std::to_string(size) + " bytes");
      return nullptr;
    }
    TfTensor output(TF_NewTensor(
        attributes().dtype, dims_.data(), static_cast<int>(dims_.size()), memory, size,
        [](void* data, size_t, void*) { efl_buffer_free(data); }, nullptr));
    TfStatus status = NewTfStatus();
    TF_SetOutput(context(), 0, output.get(), status.get());
    if (!Ok(status)) {
      Override(EFL_RESOURCE_EXHAUSTED, TF_Message(status.get()));
      return nullptr;
    }
    return memory;
  }

  void* AllocateByTensorFlow(size_t size) {
    TfStatus status = NewTfStatus();
    TfTensor output(TF_AllocateOutput(context(), 0, attributes().dtype, dims_.data(),
                                      static_cast<int>(dims_.size()), size, status.get()));
    if (!Ok(status)) {
      Override(EFL_RESOURCE_EXHAUSTED, TF_Message(status.get()));
      return nullptr;
    }
    // NULL would mean that there is no memory; an empty tensor may have no address.
    return size == 0 ? &nothing_ : TF_TensorData(output.get());
  }

  void* AllocateEncoded(size_t size) {
    encoded_size_ = size;
    encoded_.reset(new (std::nothrow) char[size + 1]);
    return encoded_.get();
  }

  std::string SetStrings() {
    std::vector<StringSlice> slices;
    const std::string wrong =
        DecodeStrings(encoded_.get(), encoded_size_, static_cast<size_t>(count_), &slices);
    if (!wrong.empty()) return wrong;
    TfStatus status = NewTfStatus();
    TfTensor output(TF_AllocateOutput(context(), 0, kString, dims_.data(),
                                      static_cast<int>(dims_.size()),
                                      slices.size() * sizeof(TF_TString), status.get()));
    if (!Ok(status)) return TF_Message(status.get());
    auto* strings = static_cast<TF_TString*>(TF_TensorData(output.get()));
    for (size_t i = 0; i < slices.size(); ++i) {
      TF_StringCopy(&strings[i], slices[i].data, slices[i].size);
    }
    return "";
  }

  int64_t step_ = -1;
  int64_t count_ = 0;
  std::vector<int64_t> dims_;
  std::unique_ptr<char[]> encoded_;
  size_t encoded_size_ = 0;
  char nothing_ = 0;
};

}  // namespace

void ComputeRecvTensor(void* kernel, TF_OpKernelContext* context,
                       TF_AsyncOpKernelDoneCallback* done) {
  AsyncRun::Begin(std::make_unique<RecvTensorRun>(AttributesOf(kernel), context, done));
}

}  // namespace efl_tf
