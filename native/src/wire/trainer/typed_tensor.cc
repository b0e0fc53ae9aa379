#include "wire/trainer/typed_tensor.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "efl/trainer_service.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "wire/messages.h"

namespace efl {
namespace {

// The typed form is for small tensors: a short list may stand for a large one, so what it may grow
// to has a limit.
constexpr size_t kMaxTypedBytes = size_t{64} << 20;

Status Invalid(std::string why) { return {Code::kUnknown, std::move(why)}; }

// What comes last, so long, again and again from `begin` to `end`, in steps that grow: a short
// message can ask for a long tensor. Nothing: zeros, which are there.
void Repeat(size_t piece, char* out, size_t begin, size_t end) {
  if (begin < piece) return;
  const char* const from = out + begin - piece;
  for (size_t ready = piece; begin < end;) {
    const size_t part = std::min(ready, end - begin);
    std::memcpy(out + begin, from, part);
    begin += part;
    ready += part;
  }
}

// The values as elements of type Out, as TensorFlow reads them: the last one repeated up to
// `count`, zeros when there is none, what is beyond `count` left out.
template <typename Out, typename Values>
Status Fill(const Values& values, int per_element, int64_t count, std::string* content) {
  if (static_cast<uint64_t>(count) > kMaxTypedBytes) {
    return Invalid(absl::StrCat("typed values for more than ", kMaxTypedBytes, " bytes"));
  }
  const int64_t wanted = count * per_element;
  if (values.size() % per_element != 0) {
    return Invalid(absl::StrCat(values.size(), " typed values for ", count, " elements"));
  }
  if (static_cast<uint64_t>(wanted) > kMaxTypedBytes / sizeof(Out)) {
    return Invalid(absl::StrCat("typed values for more than ", kMaxTypedBytes, " bytes"));
  }
  content->resize(static_cast<size_t>(wanted) * sizeof(Out));
  char* out = content->data();
  const auto given = static_cast<int>(std::min<int64_t>(wanted, values.size()));
  for (int i = 0; i < given; ++i) {
    const auto element = static_cast<Out>(values.Get(i));
    std::memcpy(out + static_cast<size_t>(i) * sizeof(Out), &element, sizeof(Out));
  }
  const size_t end = static_cast<size_t>(given) * sizeof(Out);
  Repeat(static_cast<size_t>(per_element) * sizeof(Out), out, end, content->size());
  return {};
}

template <typename Values>
Status FillStrings(const Values& values, int64_t count, std::string* content) {
  static const std::string& empty = *new std::string;
  const auto value = [&](int64_t i) -> const std::string& {
    if (values.empty()) return empty;
    return values.Get(static_cast<int>(i < values.size() ? i : values.size() - 1));
  };
  const auto one = static_cast<uint64_t>(value(count - 1).size()) + 1;
  if (count > values.size() &&
      static_cast<uint64_t>(count - values.size()) > kMaxTypedBytes / one) {
    return Invalid(absl::StrCat("typed values for more than ", kMaxTypedBytes, " bytes"));
  }
  // Once each, then the last one for all that is left.
  const int64_t given = std::min<int64_t>(count, std::max(values.size(), 1));
  const auto left = static_cast<size_t>(count - given);
  const auto append_left = [left, content](size_t piece) {
    const size_t begin = content->size();
    content->resize(begin + left * piece);
    Repeat(piece, content->data(), begin, content->size());
  };
  using google::protobuf::io::CodedOutputStream;
  size_t last = 0;
  for (int64_t i = 0; i < given; ++i) {
    uint8_t length[5];
    const uint8_t* const end =
        CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(value(i).size()), length);
    last = static_cast<size_t>(end - length);
    content->append(reinterpret_cast<const char*>(length), last);
  }
  append_left(last);
  for (int64_t i = 0; i < given; ++i) content->append(value(i));
  append_left(value(count - 1).size());
  return {};
}

Status FillFrom(const tensorflow::TensorProto& proto, int64_t count, std::string* content) {
  switch (proto.dtype()) {
    case kFloat:
      return Fill<float>(proto.float_val(), 1, count, content);
    case kDouble:
      return Fill<double>(proto.double_val(), 1, count, content);
    case kInt32:
    case kQint32:
      return Fill<int32_t>(proto.int_val(), 1, count, content);
    case kInt16:
    case kUint16:
    case kQint16:
    case kQuint16:
      return Fill<uint16_t>(proto.int_val(), 1, count, content);
    case kInt8:
    case kUint8:
    case kQint8:
    case kQuint8:
      return Fill<uint8_t>(proto.int_val(), 1, count, content);
    case kInt64:
      return Fill<int64_t>(proto.int64_val(), 1, count, content);
    case kBool:
      return Fill<uint8_t>(proto.bool_val(), 1, count, content);
    case kHalf:
    case kBfloat16:
      return Fill<uint16_t>(proto.half_val(), 1, count, content);
    case kUint32:
      return Fill<uint32_t>(proto.uint32_val(), 1, count, content);
    case kUint64:
      return Fill<uint64_t>(proto.uint64_val(), 1, count, content);
    case kComplex64:
      return Fill<float>(proto.scomplex_val(), 2, count, content);
    case kComplex128:
      return Fill<double>(proto.dcomplex_val(), 2, count, content);
    case kString:
      return FillStrings(proto.string_val(), count, content);
    default:
      return Invalid(absl::StrCat("dtype ", proto.dtype()));
  }
}

}  // namespace

Status DecodeTyped(grpc::ByteBuffer* bytes, DecodedTensor* tensor) {
  MessageRequest request;
  if (!Decode(bytes, &request)) return Invalid("it is no MessageRequest");
  const tensorflow::TensorProto& proto = request.tensor();
  TensorInfo& info = tensor->info;
  info.dtype = proto.dtype();
  info.dims.clear();
  for (const auto& dim : proto.tensor_shape().dim()) info.dims.push_back(dim.size());
  const int64_t count = ElementCount(info.dims);
  if (count < 0) return Invalid(absl::StrCat("shape ", ShapeText(info.dims)));
  Status status;
  if (!proto.tensor_content().empty()) {
    tensor->typed_content = proto.tensor_content();
  } else if (count > 0) {
    status = FillFrom(proto, count, &tensor->typed_content);
  }
  info.size = tensor->typed_content.size();
  return status;
}

}  // namespace efl
