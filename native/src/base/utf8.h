// Whether bytes from the wire are text.
#pragma once

#include <string>
#include <string_view>

namespace efl {

// Well-formed UTF-8 as protobuf wants it of a string: no overlong forms, no surrogates.
bool IsUtf8(std::string_view bytes);

// As much of a well-formed text as takes this many bytes at most.
std::string Utf8Prefix(const std::string& text, size_t most);

}  // namespace efl
