// SHA-256, as hexadecimal text.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace efl {

// Of these parts, one after the other. Empty when OpenSSL can't: it has no memory, or isn't
// allowed.
std::string Sha256Hex(std::initializer_list<std::string_view> parts);

}  // namespace efl
