#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace efl {
namespace {

TEST(Crc32cTest, ShouldBeTheOneOfItsName) {
  EXPECT_EQ(Crc32c("123456789", 9), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0').data(), 32), 0x8a9136aau);
  EXPECT_EQ(Crc32c("", 0), 0u);
}

TEST(Crc32cTest, ShouldGoOnFromAnEarlierPart) {
  std::string bytes(100'001, 'x');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 3);
  const uint32_t whole = Crc32c(bytes.data(), bytes.size());
  for (const size_t cut : {size_t{0}, size_t{1}, size_t{16'384}, size_t{99'999}, bytes.size()}) {
    const uint32_t first = Crc32c(bytes.data(), cut);
    EXPECT_EQ(Crc32c(bytes.data() + cut, bytes.size() - cut, first), whole) << cut;
  }
}

TEST(Crc32cTest, ShouldCopyWhatItSums) {
  std::string bytes(50'000, 'y');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  for (const bool past_cache : {false, true}) {
    for (const size_t skipped : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{49'990}}) {
      const size_t size = bytes.size() - skipped - 3;
      std::string copy(bytes.size(), '.');
      EXPECT_EQ(CopyCrc32c(copy.data() + skipped, bytes.data() + skipped / 2, size, 0, past_cache),
                Crc32c(bytes.data() + skipped / 2, size));
      EXPECT_EQ(copy, std::string(skipped, '.') + bytes.substr(skipped / 2, size) + "...");
    }
  }
}

}  // namespace
}  // namespace efl
