#include "base/dtype.h"

namespace efl {
namespace {

struct Entry {
  const char* name;
  size_t size;
};

constexpr Entry kEntries[] = {
    {nullptr, 0},  {"float", 4},   {"double", 8}, {"int32", 4},       {"uint8", 1},
    {"int16", 2},  {"int8", 1},    {"string", 0}, {"complex64", 8},   {"int64", 8},
    {"bool", 1},   {"qint8", 1},   {"quint8", 1}, {"qint32", 4},      {"bfloat16", 2},
    {"qint16", 2}, {"quint16", 2}, {"uint16", 2}, {"complex128", 16}, {"half", 2},
    {nullptr, 0},  {nullptr, 0},   {"uint32", 4}, {"uint64", 8},
};
constexpr int32_t kCount = sizeof(kEntries) / sizeof(kEntries[0]);

const Entry& EntryOf(int32_t dtype) {
  return dtype > 0 && dtype < kCount ? kEntries[dtype] : kEntries[0];
}

}  // namespace

const char* DTypeName(int32_t dtype) {
  const char* name = EntryOf(dtype).name;
  return name != nullptr ? name : "unknown";
}

int32_t DTypeOfName(std::string_view name) {
  for (int32_t dtype = 1; dtype < kCount; ++dtype) {
    if (kEntries[dtype].name != nullptr && kEntries[dtype].name == name) return dtype;
  }
  return 0;
}

bool DTypeIsKnown(int32_t dtype) { return EntryOf(dtype).name != nullptr; }

size_t DTypeSize(int32_t dtype) { return EntryOf(dtype).size; }

}  // namespace efl
