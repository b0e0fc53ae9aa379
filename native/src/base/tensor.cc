#include "base/tensor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace efl {

std::string ShapeText(const std::vector<int64_t>& dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) text += ',';
    text += dims[i] < 0 ? "?" : absl::StrCat(dims[i]);
  }
  return text + "]";
}

int64_t ElementCount(const std::vector<int64_t>& dims) {
  constexpr int64_t kMost = int64_t{1} << 62;
  if (std::any_of(dims.begin(), dims.end(), [](int64_t dim) { return dim < 0; })) return -1;
  if (std::find(dims.begin(), dims.end(), 0) != dims.end()) return 0;
  int64_t count = 1;
  for (int64_t dim : dims) {
    if (count > kMost / dim) return -1;
    count *= dim;
  }
  return count;
}

Status CheckTensor(const TensorInfo& info) {
  const auto invalid = [](std::string why) { return Status(Code::kInvalidArgument, why); };
  if (!DTypeIsKnown(info.dtype)) return invalid(absl::StrCat("unknown dtype ", info.dtype));
  const int64_t count = ElementCount(info.dims);
  if (count < 0) return invalid(absl::StrCat("impossible shape ", ShapeText(info.dims)));
  const size_t element = DTypeSize(info.dtype);
  const auto elements = static_cast<uint64_t>(count);
  // A string takes at least the byte that holds its length.
  const bool fits = element == 0 ? info.size >= elements && (count > 0 || info.size == 0)
                                 : info.size / element == elements && info.size % element == 0;
  if (fits) return {};
  return invalid(absl::StrCat(info.size, " bytes of content for ", DTypeName(info.dtype), " ",
                              ShapeText(info.dims)));
}

bool StringLengthsFit(const void* content, size_t size, int64_t count) {
  const auto* bytes = static_cast<const unsigned char*>(content);
  size_t at = 0;
  uint64_t total = 0;
  for (int64_t i = 0; i < count; ++i) {
    uint64_t length = 0;
    for (int shift = 0;; shift += 7) {
      if (at == size || shift > 28) return false;
      const unsigned char byte = bytes[at++];
      length |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    total += length;
    if (total > size) return false;
  }
  return total == size - at;
}

}  // namespace efl
