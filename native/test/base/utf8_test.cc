#include "base/utf8.h"

#include <gtest/gtest.h>

namespace efl {
namespace {

TEST(Utf8Test, ShouldTakeText) {
  for (const char* text :
       {"", "fc1", "\xc3\xa4", "\xe5\xb1\x82", "\xf0\x9f\x98\x80", "\xed\x9f\xbf"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
}

TEST(Utf8Test, ShouldRefuseWhatIsNone) {
  for (const char* bytes : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                            "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff"}) {
    EXPECT_FALSE(IsUtf8(bytes)) << bytes;
  }
}

TEST(Utf8Test, ShouldMakeTextOfWhatIsNone) {
  EXPECT_EQ(AsUtf8("\xc3\xa4 is text"), "\xc3\xa4 is text");
  EXPECT_EQ(AsUtf8("\xc3\xa4 isn't, with \xff"), "?? isn't, with ?");
}

}  // namespace
}  // namespace efl
