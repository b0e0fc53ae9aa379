// TensorFlow's data types, by their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace efl {

enum DType : int32_t {
  kFloat = 1,
  kDouble = 2,
  kInt32 = 3,
  kUint8 = 4,
  kInt16 = 5,
  kInt8 = 6,
  kString = 7,
  kComplex64 = 8,
  kInt64 = 9,
  kBool = 10,
  kQint8 = 11,
  kQuint8 = 12,
  kQint32 = 13,
  kBfloat16 = 14,
  kQint16 = 15,
  kQuint16 = 16,
  kUint16 = 17,
  kComplex128 = 18,
  kHalf = 19,
  kUint32 = 22,
  kUint64 = 23,
};

// "float", "int64", …; "dtype 99" has no name: "unknown".
const char* DTypeName(int32_t dtype);
// The number of a type above by its name, 0 when there is none of this name.
int32_t DTypeOfName(std::string_view name);
// True of the types above.
bool DTypeIsKnown(int32_t dtype);
// Bytes of an element; 0 for strings and for what is not known.
size_t DTypeSize(int32_t dtype);

}  // namespace efl
