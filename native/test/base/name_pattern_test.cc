#include "base/name_pattern.h"

#include <gtest/gtest.h>

#include "support/pair.h"

namespace efl {
namespace {

TEST(NamePatternTest, ShouldFitAsAShellsPatternsDo) {
  EXPECT_TRUE(NameFits("fc*", "fc1/weights", false));
  EXPECT_TRUE(NameFits("fc?", "fc1", false));
  EXPECT_TRUE(NameFits("fc[0-9]", "fc7", false));
  EXPECT_TRUE(NameFits("fc[!0-9]", "fcx", false));
  EXPECT_TRUE(NameFits("a\\*", "a*", false));
  EXPECT_FALSE(NameFits("fc?", "fc12", true));
  EXPECT_FALSE(NameFits("fc", "fc1", true));
  EXPECT_FALSE(NameFits("a\\*", "ab", true));
  EXPECT_FALSE(NameFits("[a-z]", "B", true));
}

TEST(NamePatternTest, ShouldTakeACharacterForOneWhateverItsLength) {
  EXPECT_TRUE(NameFits("gr?n", "gr\u00fcn", false));
  EXPECT_FALSE(NameFits("gr?n", "gr\u00fc\u00fcn", true));
}

TEST(NamePatternTest, ShouldSayWhatItIsToldOfNamesThatArentText) {
  EXPECT_TRUE(NameFits("*", "x\xff", true));
  EXPECT_FALSE(NameFits("*", "x\xff", false));
}

TEST(NamePatternTest, ShouldRefusePatternsThatCantBeMeant) {
  const auto refused = [](const std::string& pattern, const char* why) {
    test::ExpectSaid(CheckNamePattern(pattern), Code::kInvalidArgument, why);
  };
  refused("", "missing");
  refused("a\\", "backslash");
  refused("[a-z", "bracket");
  refused("[]", "bracket");
  refused("[!]", "bracket");
  refused("[a\\]", "bracket");
  refused("a\nb", "control");
  refused(std::string("a\0b", 3), "control");
  refused("\xff", "UTF-8");
  for (const char* good :
       {"*", "[]]", "[!]x]", "\\[", "a\\\\", "gr\u00fcn", "[[:alpha:]]", "[\\]]"}) {
    EXPECT_TRUE(CheckNamePattern(good).ok()) << good;
  }
}

}  // namespace
}  // namespace efl
