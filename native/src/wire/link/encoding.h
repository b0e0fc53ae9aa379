// How the content of a tensor may be written on the wire, by the pattern of its name.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/tensor.h"
#include "efl/link_service.pb.h"

namespace efl {

// "fc*=zstd,embedding_?=bfloat16": the first pattern that fits decides; none: as it is.
class EncodingRules {
 public:
  // INVALID_ARGUMENT says what of it can't be meant.
  static Status Parse(const std::string& text, EncodingRules* rules);
  // bfloat16 is for floats; of other types it is none.
  LinkEncoding For(const std::string& name, int32_t dtype) const;

 private:
  std::vector<std::pair<std::string, LinkEncoding>> rules_;
};

// Replaces the payload by its encoded form.
Status EncodeContent(LinkEncoding encoding, Payload* payload);

// Whether `encoded_size` bytes may be a tensor of this description in this encoding.
Status CheckEncoding(const TensorInfo& info, LinkEncoding encoding, uint64_t encoded_size);

// Writes info.size bytes to `to`.
Status DecodeContent(const TensorInfo& info, LinkEncoding encoding, const void* encoded,
                     size_t encoded_size, void* to);

}  // namespace efl
