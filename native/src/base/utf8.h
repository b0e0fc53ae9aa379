// Whether bytes are text, as whoever reads them on the wire wants it.
#pragma once

#include <string>
#include <string_view>

namespace efl {

// Well-formed UTF-8 as protobuf wants it of a string: no overlong forms, no surrogates.
bool IsUtf8(std::string_view bytes);

// The text itself, or, where it isn't well-formed, with a '?' for each byte that isn't ASCII.
std::string AsUtf8(const std::string& text);

// As much of a well-formed text as takes this many bytes at most.
std::string Utf8Prefix(const std::string& text, size_t most);

}  // namespace efl
