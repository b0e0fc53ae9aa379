// Whether bytes from the wire are text.
#pragma once

#include <string_view>

namespace efl {

// Well-formed UTF-8 as protobuf wants it of a string: no overlong forms, no surrogates.
bool IsUtf8(std::string_view bytes);

}  // namespace efl
