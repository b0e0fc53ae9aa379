#pragma once
#include <cstdlib>
#include <cstring>
#include <string>
#include "grpc/impl/codegen/grpc_types.h"
namespace efl {
template <typename SetInt>
void TuneConnection(SetInt set) {
  const char* e = getenv("EFL_TUNE");
  std::string s = e ? e : "";
  size_t p = 0;
  static std::string keep[64]; static int n = 0;
  while (p < s.size()) { size_t c = s.find(',', p); if (c == std::string::npos) c = s.size(); std::string kv = s.substr(p, c - p); size_t q = kv.find('='); keep[n] = kv.substr(0, q); set(keep[n++].c_str(), atoi(kv.c_str() + q + 1)); p = c + 1; }
}
}  // namespace efl
