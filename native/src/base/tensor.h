// A tensor's description, and its bytes on the way out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "base/status.h"

namespace efl {

struct TensorInfo {
  std::string name;
  int64_t step = 0;
  int32_t dtype = 0;
  std::vector<int64_t> dims;
  size_t size = 0;  // bytes of the content
};

// "[2,3]", "[]" for a scalar; -1 reads "?".
std::string ShapeText(const std::vector<int64_t>& dims);

// The number of elements; -1 when a dimension is negative or the product exceeds 2^62.
int64_t ElementCount(const std::vector<int64_t>& dims);

// Whether content of info.size bytes can be a tensor of this dtype and shape; INVALID_ARGUMENT says
// why not. Of strings the lengths are checked by whoever reads them.
Status CheckTensor(const TensorInfo& info);

// Whether the lengths that string content begins with fill it exactly: `count` varints, then as
// many bytes as they say together.
bool StringLengthsFit(const void* content, size_t size, int64_t count);

// Bytes that somebody else owns until release has been called. Movable; releases once.
class Payload {
 public:
  using Release = void (*)(void* token);

  Payload() = default;
  Payload(const void* data, size_t size, Release release, void* token)
      : data_(data), size_(size), release_(release), token_(token) {}
  Payload(Payload&& other) noexcept { *this = std::move(other); }
  Payload& operator=(Payload&& other) noexcept {
    if (this != &other) {
      Drop();
      data_ = other.data_;
      size_ = other.size_;
      release_ = std::exchange(other.release_, nullptr);
      token_ = other.token_;
    }
    return *this;
  }
  ~Payload() { Drop(); }

  const void* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void Drop() {
    if (release_ != nullptr) std::exchange(release_, nullptr)(token_);
  }

  const void* data_ = nullptr;
  size_t size_ = 0;
  Release release_ = nullptr;
  void* token_ = nullptr;
};

struct OutgoingTensor {
  TensorInfo info;
  Payload payload;
};

}  // namespace efl
