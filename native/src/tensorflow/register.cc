// The ops and their kernels, made known to TensorFlow when it loads this library.
#include <cstdio>
#include <initializer_list>
#include <string>

#include "tensorflow/kernel_attributes.h"
#include "tensorflow/ops.h"
#include "tensorflow/tf_handles.h"

namespace efl_tf {
namespace {

constexpr char kTypes[] =
    "{float, double, int32, uint8, int16, int8, string, complex64, int64, bool, qint8, quint8, "
    "qint32, bfloat16, qint16, quint16, uint16, complex128, half, uint32, uint64}";

using Specs = std::initializer_list<const char*>;
using ShapeFunction = void (*)(TF_ShapeInferenceContext*, TF_Status*);
using Create = void* (*)(TF_OpKernelConstruction*);
using Compute = void (*)(void*, TF_OpKernelContext*, TF_AsyncOpKernelDoneCallback*);

struct OpSpec {
  const char* name;
  Specs inputs;
  Specs outputs;
  Specs attributes;
  ShapeFunction shapes;
  Create create;
  Compute compute;
};

void NoOutputs(TF_ShapeInferenceContext*, TF_Status*) {}

void UnknownShapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

template <int kInputs, int kOutputs>
void Scalars(TF_ShapeInferenceContext* context, TF_Status* status) {
  for (int i = 0; i < kInputs && TF_GetCode(status) == EFL_OK; ++i) {
    TfShape shape(TF_NewShapeHandle());
    TF_ShapeInferenceContextGetInput(context, i, shape.get(), status);
    if (TF_GetCode(status) != EFL_OK) return;
    TF_ShapeInferenceContextWithRank(context, shape.get(), 0, shape.get(), status);
  }
  for (int i = 0; i < kOutputs && TF_GetCode(status) == EFL_OK; ++i) {
    TfShape scalar(TF_ShapeInferenceContextScalar(context));
    TF_ShapeInferenceContextSetOutput(context, i, scalar.get(), status);
  }
}

bool Check(const char* op, TF_Status* status) {
  if (TF_GetCode(status) == EFL_OK) return true;
  std::fprintf(stderr, "Cannot register %s with TensorFlow: %s\n", op, TF_Message(status));
  return false;
}

bool DefineOp(const OpSpec& op) {
  TF_OpDefinitionBuilder* builder = TF_NewOpDefinitionBuilder(op.name);
  TF_OpDefinitionBuilderAddAttr(builder, "communicator: string");
  for (const char* spec : op.attributes) TF_OpDefinitionBuilderAddAttr(builder, spec);
  for (const char* spec : op.inputs) TF_OpDefinitionBuilderAddInput(builder, spec);
  for (const char* spec : op.outputs) TF_OpDefinitionBuilderAddOutput(builder, spec);
  // Never folded, never merged with an equal one, never left out of a function.
  TF_OpDefinitionBuilderSetIsStateful(builder, true);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(builder, op.shapes);
  TfStatus status = NewTfStatus();
  TF_RegisterOpDefinition(builder, status.get());
  return Check(op.name, status.get());
}

bool DefineKernel(const OpSpec& op) {
  TF_KernelBuilder* builder =
      TF_NewAsyncKernelBuilder(op.name, "CPU", op.create, op.compute, &Destroy);
  TfStatus status = NewTfStatus();
  TF_RegisterKernelBuilder(op.name, builder, status.get());
  return Check(op.name, status.get());
}

bool RegisterAll() {
  static const std::string send_type = std::string("T: ") + kTypes;
  static const std::string recv_type = std::string("dtype: ") + kTypes;
  const OpSpec ops[] = {
      {"EflSendTensor",
       {"tensor: T"},
       {},
       {"tensor_name: string", send_type.c_str()},
       &NoOutputs,
       &CreateTensorSender,
       &ComputeSendTensor},
      {"EflRecvTensor",
       {},
       {"tensor: dtype"},
       {"tensor_name: string", recv_type.c_str(), "shape: shape = { unknown_rank: true }"},
       &UnknownShapes,
       &CreateTensorReceiver,
       &ComputeRecvTensor},
      {"EflSendReaderState",
       {"block_id: string", "sample_index: int64"},
       {},
       {"dataset_name: string"},
       &Scalars<2, 0>,
       &CreateReader,
       &ComputeSendReaderState},
      {"EflRecvReaderState",
       {},
       {"block_id: string", "sample_index: int64"},
       {"dataset_name: string"},
       &Scalars<0, 2>,
       &CreateReader,
       &ComputeRecvReaderState},
      {"EflTerminateReader",
       {},
       {},
       {"dataset_name: string"},
       &NoOutputs,
       &CreateReader,
       &ComputeTerminateReader},
      {"EflSendCheckpointVersion",
       {"version: string"},
       {},
       {},
       &Scalars<1, 0>,
       &CreatePlain,
       &ComputeSendCheckpointVersion},
      {"EflRecvCheckpointVersion",
       {},
       {"version: string"},
       {},
       &Scalars<0, 1>,
       &CreatePlain,
       &ComputeRecvCheckpointVersion},
      {"EflAddStep", {}, {"step: int64"}, {}, &Scalars<0, 1>, &CreatePlain, &ComputeAddStep},
      {"EflConnectAsLeader", {}, {}, {}, &NoOutputs, &CreatePlain, &ComputeConnect},
      {"EflConnectAsFollower", {}, {}, {}, &NoOutputs, &CreatePlain, &ComputeConnect},
      {"EflCloseConnection", {}, {}, {}, &NoOutputs, &CreatePlain, &ComputeCloseConnection},
  };
  bool good = true;
  for (const OpSpec& op : ops) good = DefineOp(op) && DefineKernel(op) && good;
  return good;
}

[[maybe_unused]] const bool registered = RegisterAll();

}  // namespace
}  // namespace efl_tf
