#include "wire/trainer/tensor_codec.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "google/protobuf/io/coded_stream.h"
#include "grpc/hand_over.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/slice.h"
#include "wire/trainer/typed_tensor.h"

namespace efl {
namespace {

using google::protobuf::io::CodedInputStream;

// Tags: field number << 3 | wire type.
constexpr uint32_t Varint(uint32_t field) { return field << 3; }
constexpr uint32_t Bytes(uint32_t field) { return field << 3 | 2; }

// MessageRequest.
constexpr uint32_t kName = Bytes(1), kStep = Varint(2), kTensor = Bytes(3);
// TensorProto.
constexpr uint32_t kDType = Varint(1), kShape = Bytes(2), kContent = Bytes(4);
// TensorShapeProto and its Dim.
constexpr uint32_t kDim = Bytes(2), kDimSize = Varint(1), kUnknownRank = Varint(3);

void PutVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

void PutBytes(uint32_t tag, const std::string& bytes, std::string* out) {
  PutVarint(tag, out);
  PutVarint(bytes.size(), out);
  out->append(bytes);
}

std::string EncodeShape(const std::vector<int64_t>& dims) {
  std::string shape;
  for (int64_t dim : dims) {
    std::string size;
    if (dim != 0) {
      PutVarint(kDimSize, &size);
      PutVarint(static_cast<uint64_t>(dim), &size);
    }
    PutBytes(kDim, size, &shape);
  }
  return shape;
}

// Everything in front of the content.
std::string EncodeHeader(const TensorInfo& info) {
  std::string tensor;
  PutVarint(kDType, &tensor);
  PutVarint(static_cast<uint64_t>(info.dtype), &tensor);
  PutBytes(kShape, EncodeShape(info.dims), &tensor);
  if (info.size > 0) {
    PutVarint(kContent, &tensor);
    PutVarint(info.size, &tensor);
  }
  std::string header;
  if (!info.name.empty()) PutBytes(kName, info.name, &header);
  if (info.step != 0) {
    PutVarint(kStep, &header);
    PutVarint(static_cast<uint64_t>(info.step), &header);
  }
  PutVarint(kTensor, &header);
  PutVarint(tensor.size() + info.size, &header);
  return header + tensor;
}

// A length. ReadVarint32 would cut longer ones to their lower bits.
bool ReadSize(CodedInputStream* in, uint32_t* size) {
  int value = 0;
  if (!in->ReadVarintSizeAsInt(&value)) return false;
  *size = static_cast<uint32_t>(value);
  return true;
}

// Reads a length, enters it as a limit, and leaves it at the end of its life.
class Nested {
 public:
  explicit Nested(CodedInputStream* in) : in_(in) {
    uint32_t size = 0;
    ok_ = ReadSize(in, &size);
    limit_ = in->PushLimit(ok_ ? static_cast<int>(size) : 0);
    // A limit that reaches beyond the enclosing one would be cut to it without a word.
    ok_ = ok_ && in->BytesUntilLimit() == static_cast<int>(size);
  }
  ~Nested() { in_->PopLimit(limit_); }
  bool ok() const { return ok_; }

 private:
  CodedInputStream* const in_;
  CodedInputStream::Limit limit_;
  bool ok_;
};

bool SkipField(CodedInputStream* in, uint32_t tag) {
  uint64_t number = 0;
  uint32_t size = 0;
  if (tag >> 3 == 0) return false;
  switch (tag & 7) {
    case 0:
      return in->ReadVarint64(&number);
    case 1:
      return in->ReadLittleEndian64(&number);
    case 2:
      return ReadSize(in, &size) && in->Skip(static_cast<int>(size));
    case 5:
      return in->ReadLittleEndian32(&size);
    default:
      return false;
  }
}

// What can't be told from a single pass, so that protobuf has to read the message.
struct Irregular {
  bool tensor_twice = false;
  bool content_twice = false;
};

bool ReadDim(CodedInputStream* in, int64_t* dim) {
  Nested nested(in);
  if (!nested.ok()) return false;
  *dim = 0;
  while (const uint32_t tag = in->ReadTag()) {
    uint64_t size = 0;
    if (tag == kDimSize) {
      if (!in->ReadVarint64(&size)) return false;
      *dim = static_cast<int64_t>(size);
    } else if (!SkipField(in, tag)) {
      return false;
    }
  }
  return in->ConsumedEntireMessage();
}

bool ReadShape(CodedInputStream* in, std::vector<int64_t>* dims) {
  // More than TensorFlow's own limit, less than what a hostile message could hold.
  constexpr size_t kMaxRank = 254;
  Nested nested(in);
  if (!nested.ok()) return false;
  while (const uint32_t tag = in->ReadTag()) {
    if (tag == kDim) {
      int64_t dim = 0;
      if (dims->size() == kMaxRank || !ReadDim(in, &dim)) return false;
      dims->push_back(dim);
    } else if (tag == kUnknownRank) {
      uint64_t unknown = 0;
      if (!in->ReadVarint64(&unknown) || unknown != 0) return false;
    } else if (!SkipField(in, tag)) {
      return false;
    }
  }
  return in->ConsumedEntireMessage();
}

bool ReadContent(CodedInputStream* in, DecodedTensor* tensor) {
  uint32_t size = 0;
  if (!ReadSize(in, &size)) return false;
  tensor->content_offset = static_cast<size_t>(in->CurrentPosition());
  tensor->info.size = size;
  return in->Skip(static_cast<int>(size));
}

bool ReadTensor(CodedInputStream* in, DecodedTensor* tensor, Irregular* irregular) {
  Nested nested(in);
  if (!nested.ok()) return false;
  while (const uint32_t tag = in->ReadTag()) {
    bool ok = true;
    uint64_t number = 0;
    if (tag == kDType) {
      ok = in->ReadVarint64(&number);
      tensor->info.dtype = static_cast<int32_t>(number);
    } else if (tag == kShape) {
      ok = ReadShape(in, &tensor->info.dims);
    } else if (tag == kContent) {
      irregular->content_twice = tensor->info.size > 0;
      ok = ReadContent(in, tensor);
    } else {
      ok = SkipField(in, tag);
    }
    if (!ok) return false;
  }
  return in->ConsumedEntireMessage();
}

bool ReadRequest(CodedInputStream* in, DecodedTensor* tensor, Irregular* irregular) {
  bool seen_tensor = false;
  while (const uint32_t tag = in->ReadTag()) {
    bool ok = true;
    uint64_t number = 0;
    uint32_t size = 0;
    if (tag == kName) {
      ok = ReadSize(in, &size) && in->ReadString(&tensor->info.name, static_cast<int>(size));
    } else if (tag == kStep) {
      ok = in->ReadVarint64(&number);
      tensor->info.step = static_cast<int64_t>(number);
    } else if (tag == kTensor) {
      irregular->tensor_twice = std::exchange(seen_tensor, true);
      ok = ReadTensor(in, tensor, irregular);
    } else {
      ok = SkipField(in, tag);
    }
    if (!ok) return false;
  }
  return in->ConsumedEntireMessage();
}

Status Undecodable(const std::string& why) {
  return {Code::kUnknown, absl::StrCat("the tensor cannot be decoded: ", why)};
}

}  // namespace

grpc::ByteBuffer EncodeMessageRequest(OutgoingTensor tensor) {
  const std::string header = EncodeHeader(tensor.info);
  const grpc::Slice first(header.data(), header.size());
  if (tensor.payload.size() == 0) return {&first, 1};
  auto* held = new Payload(std::move(tensor.payload));
  const grpc::Slice slices[] = {
      first, grpc::Slice(
                 const_cast<void*>(held->data()), held->size(),
                 [](void* payload) { delete static_cast<Payload*>(payload); }, held)};
  return {slices, 2};
}

namespace {

// Strings are few and short beside everything else that is sent, so they are looked at in a copy.
Status CheckStrings(grpc::ByteBuffer* bytes, const DecodedTensor& tensor) {
  std::string content(tensor.info.size, '\0');
  Status status = CopyContent(bytes, tensor, content.data());
  if (status.ok() &&
      !StringLengthsFit(content.data(), content.size(), ElementCount(tensor.info.dims))) {
    status = Undecodable("the lengths of its strings don't fit its content");
  }
  return status;
}

}  // namespace

Status DecodeMessageRequest(grpc::ByteBuffer* bytes, DecodedTensor* tensor) {
  Irregular irregular;
  {
    grpc::ProtoBufferReader reader(bytes);
    if (!reader.status().ok()) return Undecodable("its bytes cannot be read");
    CodedInputStream in(&reader);
    // What is nested may not reach beyond the end either; more than this gRPC doesn't let in.
    in.PushLimit(static_cast<int>(std::min<size_t>(bytes->Length(), INT32_MAX)));
    const bool ok = ReadRequest(&in, tensor, &irregular);
    if (!IsUtf8(tensor->info.name)) {
      tensor->info.name.clear();  // it will be quoted in answers and logs
      return Undecodable("its name is not UTF-8");
    }
    if (!ok) return Undecodable("it is no MessageRequest");
  }
  const int64_t count = ElementCount(tensor->info.dims);
  const bool has_typed_fields = tensor->info.size == 0 && count != 0;
  if (has_typed_fields || irregular.tensor_twice || irregular.content_twice) {
    tensor->typed = true;
    if (Status status = DecodeTyped(bytes, tensor); !status.ok())
      return Undecodable(status.message());
  }
  if (Status status = CheckTensor(tensor->info); !status.ok()) {
    return Undecodable(status.message());
  }
  return tensor->info.dtype == kString ? CheckStrings(bytes, *tensor) : Status();
}

Status CopyContent(grpc::ByteBuffer* bytes, const DecodedTensor& tensor, void* to) {
  if (tensor.typed) {
    std::memcpy(to, tensor.typed_content.data(), tensor.typed_content.size());
    return {};
  }
  size_t left = tensor.info.size;
  if (left == 0) return {};
  grpc::ProtoBufferReader reader(bytes);
  auto* out = static_cast<char*>(to);
  const void* data = nullptr;
  int size = 0;
  size_t skip = tensor.content_offset;
  while (left > 0 && reader.Next(&data, &size)) {
    const size_t skipped = std::min(skip, static_cast<size_t>(size));
    const size_t taken = std::min(left, static_cast<size_t>(size) - skipped);
    std::memcpy(out, static_cast<const char*>(data) + skipped, taken);
    skip -= skipped;
    out += taken;
    left -= taken;
  }
  return left == 0 ? Status() : Status(Code::kInternal, "the message ended within its content");
}

}  // namespace efl
