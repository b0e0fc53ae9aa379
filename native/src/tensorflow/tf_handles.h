// Owners of TensorFlow's and of the kernel's handles.
#pragma once

#include <memory>

#include "efl/efl.h"
#include "tensorflow/tf_c_api.h"

namespace efl_tf {

struct HandleDeleter {
  void operator()(TF_Status* status) const { TF_DeleteStatus(status); }
  void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
  void operator()(TF_ShapeHandle* shape) const { TF_DeleteShapeHandle(shape); }
  void operator()(efl_status* status) const { efl_status_free(status); }
  void operator()(efl_peer* peer) const { efl_peer_release(peer); }
};

template <typename T>
using Handle = std::unique_ptr<T, HandleDeleter>;

using TfStatus = Handle<TF_Status>;
using TfTensor = Handle<TF_Tensor>;
using TfShape = Handle<TF_ShapeHandle>;
using EflStatus = Handle<efl_status>;
using EflPeer = Handle<efl_peer>;

inline TfStatus NewTfStatus() { return TfStatus(TF_NewStatus()); }
inline EflStatus NewEflStatus() { return EflStatus(efl_status_create()); }
inline bool Ok(const TfStatus& status) { return TF_GetCode(status.get()) == EFL_OK; }
inline bool Ok(const EflStatus& status) { return efl_status_code(status.get()) == EFL_OK; }

}  // namespace efl_tf
