// The fuzz targets over their corpus, what once went wrong included. scripts/fuzz looks for more.
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/targets.h"

namespace efl::test {
namespace {

using Target = void (*)(const uint8_t*, size_t);

std::vector<std::string> Corpus(const std::string& target) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(EFL_FUZZ_CORPUS "/" + target)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> inputs;
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

void Feed(Target target, const std::string& input) {
  target(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

// Each input, and as many that are like one: cut short, or changed here and there.
void FeedCorpus(const std::string& name, Target target, size_t alike = 5'000) {
  const std::vector<std::string> inputs = Corpus(name);
  ASSERT_FALSE(inputs.empty());
  const google::protobuf::LogSilencer silent;
  for (const std::string& input : inputs) Feed(target, input);
  std::mt19937_64 random(1);
  for (size_t i = 0; i < alike; ++i) {
    std::string input = inputs[i % inputs.size()];
    if (random() % 2 == 0) input.resize(random() % (input.size() + 1));
    for (size_t changes = random() % 4; changes > 0 && !input.empty(); --changes) {
      input[random() % input.size()] = static_cast<char>(random());
    }
    Feed(target, input);
  }
}

TEST(CorpusTest, ShouldTakeAnyMessageOfTheLink) { FeedCorpus("LinkMessage", fuzz::LinkMessage); }
TEST(CorpusTest, ShouldTakeAnyLifeOfALink) {
  FeedCorpus("Link", fuzz::Link, 100);
  fuzz::CloseLinks();
}
TEST(CorpusTest, ShouldTakeAnyTensorOfTheTrainerWire) {
  FeedCorpus("TensorCodec", fuzz::TensorCodec);
}
TEST(CorpusTest, ShouldTakeAnyPolicy) { FeedCorpus("EgressPolicy", fuzz::EgressPolicy); }
TEST(CorpusTest, ShouldTakeAnyEndOfALedger) { FeedCorpus("LedgerTail", fuzz::LedgerTail); }
TEST(CorpusTest, ShouldTakeAnyEncodedContent) { FeedCorpus("Encoding", fuzz::Encoding); }

}  // namespace
}  // namespace efl::test
