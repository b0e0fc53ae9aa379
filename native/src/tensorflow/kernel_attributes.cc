#include "tensorflow/kernel_attributes.h"

#include <memory>
#include <utility>

#include "tensorflow/tf_handles.h"

namespace efl_tf {
namespace {

// Reads attributes; after the first failure it reads nothing more.
class Reader {
 public:
  explicit Reader(TF_OpKernelConstruction* construction) : construction_(construction) {}

  void String(const char* attribute, std::string* value) {
    if (!Ok(status_)) return;
    int32_t list_size = 0;
    int32_t size = 0;
    TF_OpKernelConstruction_GetAttrSize(construction_, attribute, &list_size, &size, status_.get());
    if (!Ok(status_)) return;
    value->resize(static_cast<size_t>(size));
    TF_OpKernelConstruction_GetAttrString(construction_, attribute, value->data(), value->size(),
                                          status_.get());
  }

  void Type(const char* attribute, TF_DataType* value) {
    if (!Ok(status_)) return;
    TF_OpKernelConstruction_GetAttrType(construction_, attribute, value, status_.get());
  }

  void* Finish(std::unique_ptr<KernelAttributes> attributes) {
    if (Ok(status_)) return attributes.release();
    TF_OpKernelConstruction_Failure(construction_, status_.get());
    return nullptr;
  }

 private:
  TF_OpKernelConstruction* construction_;
  TfStatus status_ = NewTfStatus();
};

void* Create(TF_OpKernelConstruction* construction, const char* name_attribute, bool receives) {
  auto attributes = std::make_unique<KernelAttributes>();
  Reader reader(construction);
  reader.String("communicator", &attributes->communicator);
  if (name_attribute != nullptr) reader.String(name_attribute, &attributes->name);
  if (receives) reader.Type("dtype", &attributes->dtype);
  return reader.Finish(std::move(attributes));
}

}  // namespace

void* CreatePlain(TF_OpKernelConstruction* construction) {
  return Create(construction, nullptr, false);
}

void* CreateTensorSender(TF_OpKernelConstruction* construction) {
  return Create(construction, "tensor_name", false);
}

void* CreateTensorReceiver(TF_OpKernelConstruction* construction) {
  return Create(construction, "tensor_name", true);
}

void* CreateReader(TF_OpKernelConstruction* construction) {
  return Create(construction, "dataset_name", false);
}

void Destroy(void* kernel) { delete static_cast<KernelAttributes*>(kernel); }

}  // namespace efl_tf
