// What an op of a graph says about itself, read once when TensorFlow makes its kernel.
#pragma once

#include <string>

#include "tensorflow/tf_c_api.h"

namespace efl_tf {

struct KernelAttributes {
  std::string communicator;
  std::string name;       // of the tensor or the dataset, "" where the op has none
  TF_DataType dtype = 0;  // receive only
};

// The shape attribute of a receive is not among them: the C API reads only shapes without unknown
// dimensions. The communicator knows it by efl_peer_register_tensor, and checks it.

// Create functions of kernels. They return a KernelAttributes, or report a construction failure and
// return NULL; TensorFlow then never computes with it.
void* CreatePlain(TF_OpKernelConstruction* construction);
void* CreateTensorSender(TF_OpKernelConstruction* construction);
void* CreateTensorReceiver(TF_OpKernelConstruction* construction);
void* CreateReader(TF_OpKernelConstruction* construction);
void Destroy(void* kernel);

inline const KernelAttributes& AttributesOf(void* kernel) {
  return *static_cast<const KernelAttributes*>(kernel);
}

}  // namespace efl_tf
