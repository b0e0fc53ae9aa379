#include "base/utf8.h"

#include <cstddef>

namespace efl {
namespace {

// The bytes that follow a first byte, and the range of the second one, which rules out overlong
// forms, surrogates and what is beyond U+10FFFF. RFC 3629, section 4.
struct Form {
  size_t more;
  unsigned char low;
  unsigned char high;
};

bool FormOf(unsigned char first, Form* form) {
  if (first < 0x80) {
    *form = {0, 0, 0};
  } else if (first >= 0xc2 && first <= 0xdf) {
    *form = {1, 0x80, 0xbf};
  } else if (first >= 0xe0 && first <= 0xef) {
    *form = {2, static_cast<unsigned char>(first == 0xe0 ? 0xa0 : 0x80),
             static_cast<unsigned char>(first == 0xed ? 0x9f : 0xbf)};
  } else if (first >= 0xf0 && first <= 0xf4) {
    *form = {3, static_cast<unsigned char>(first == 0xf0 ? 0x90 : 0x80),
             static_cast<unsigned char>(first == 0xf4 ? 0x8f : 0xbf)};
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    Form form{};
    if (!FormOf(static_cast<unsigned char>(bytes[at]), &form)) return false;
    if (bytes.size() - at <= form.more) return false;
    for (size_t i = 1; i <= form.more; ++i) {
      const auto byte = static_cast<unsigned char>(bytes[at + i]);
      const unsigned char low = i == 1 ? form.low : 0x80;
      const unsigned char high = i == 1 ? form.high : 0xbf;
      if (byte < low || byte > high) return false;
    }
    at += form.more + 1;
  }
  return true;
}

std::string AsUtf8(const std::string& text) {
  if (IsUtf8(text)) return text;
  std::string ascii = text;
  for (char& byte : ascii) {
    if ((static_cast<unsigned char>(byte) & 0x80) != 0) byte = '?';
  }
  return ascii;
}

std::string Utf8Prefix(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace efl
