// Compute functions of the kernels. Each ends by TensorFlow's `done`, on the calling thread or on
// one of the communicator's.
#pragma once

#include "tensorflow/tf_c_api.h"

namespace efl_tf {

void ComputeSendTensor(void* kernel, TF_OpKernelContext*, TF_AsyncOpKernelDoneCallback*);
void ComputeRecvTensor(void* kernel, TF_OpKernelContext*, TF_AsyncOpKernelDoneCallback*);

void ComputeSendReaderState(void* kernel, TF_OpKernelContext*, TF_AsyncOpKernelDoneCallback*);
void ComputeRecvReaderState(void* kernel, TF_OpKernelContext*, TF_AsyncOpKernelDoneCallback*);
void ComputeTerminateReader(void* kernel, TF_OpKernelContext*, TF_AsyncOpKernelDoneCallback*);

void ComputeSendCheckpointVersion(void* kernel, TF_OpKernelContext*, TF_AsyncOpKernelDoneCallback*);
void ComputeRecvCheckpointVersion(void* kernel, TF_OpKernelContext*, TF_AsyncOpKernelDoneCallback*);

void ComputeConnect(void* kernel, TF_OpKernelContext*, TF_AsyncOpKernelDoneCallback*);
void ComputeCloseConnection(void* kernel, TF_OpKernelContext*, TF_AsyncOpKernelDoneCallback*);
void ComputeAddStep(void* kernel, TF_OpKernelContext*, TF_AsyncOpKernelDoneCallback*);

}  // namespace efl_tf
