// Tensors of strings as efl.h has them: the length of each as a varint, then the bytes of all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tensorflow/tf_c_api.h"

namespace efl_tf {

std::string EncodeStrings(const TF_TString* strings, size_t count);

// Where one string is in encoded bytes.
struct StringSlice {
  const char* data;
  size_t size;
};

// Takes apart what a peer sent. "" when the bytes are exactly `count` strings, otherwise what is
// wrong with them; nothing is allocated for strings that the bytes can't hold.
std::string DecodeStrings(const char* data, size_t size, size_t count,
                          std::vector<StringSlice>* strings);

}  // namespace efl_tf
