#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "efl_cpp.h"
#include "pattern.h"
#include "throughput.h"

namespace efl::bench {
namespace {

// A name for each tensor that may be under way at once: those of one name wait for each other.
std::string NameOf(const Args& args, uint64_t id) {
  return "t" + std::to_string(id % static_cast<uint64_t>(InFlightOf(args)));
}

// What the serving side expects, in the order of the ids.
struct Expected {
  size_t bytes;
  size_t round;
  bool last;  // of its round
};

std::vector<Expected> ExpectedOf(const Args& args) {
  std::vector<Expected> expected;
  const std::vector<Round> rounds = RoundsOf(args);
  for (size_t i = 0; i < rounds.size(); ++i) {
    for (int k = 0; k < rounds[i].count; ++k) {
      expected.push_back({rounds[i].bytes, i, k + 1 == rounds[i].count});
    }
  }
  return expected;
}

class Receiver {
 public:
  Receiver(const Args& args, Party* party)
      : args_(args),
        party_(party),
        expected_(ExpectedOf(args)),
        arrived_(RoundsOf(args).size()),
        ahead_(2 * static_cast<size_t>(InFlightOf(args)) + 2),
        pool_(static_cast<size_t>(InFlightOf(args)) + (args.test_case == "one" ? 0 : 1),
              args.bytes) {}

  void Run() {
    for (int i = 0; i < InFlightOf(args_); ++i) {
      party_->Register(NameOf(args_, static_cast<uint64_t>(i)));
    }
    PrintReady();
    party_->Connect();
    for (size_t i = 0; i < ahead_; ++i) PostNext();
    const std::vector<Round> rounds = RoundsOf(args_);
    uint64_t id = 0;
    for (size_t i = 0; i < rounds.size(); ++i) {
      arrived_[i].AwaitAtLeast(static_cast<uint64_t>(rounds[i].count));
      id += static_cast<uint64_t>(rounds[i].count);
      const size_t bytes = rounds[i].bytes;
      if (!AllFits(last_, 0, bytes, bytes, id - 1)) Die("a damaged tensor");
      pool_.GiveBack(last_);
      party_->SendVerdict(static_cast<int64_t>(i), 0);
    }
  }

 private:
  void PostNext() {
    const uint64_t id = next_++;
    if (id >= expected_.size()) return;
    auto buffer = std::make_shared<uint8_t*>(nullptr);
    party_->Receive(
        NameOf(args_, id), static_cast<int64_t>(id),
        [this, id, buffer](size_t size) {
          if (size != expected_[id].bytes) Die("a tensor of another size");
          return *buffer = pool_.Take();
        },
        [this, id, buffer] { OnArrived(id, *buffer); });
  }

  void OnArrived(uint64_t id, uint8_t* buffer) {
    const Expected& expected = expected_[id];
    if (!MarksFit(buffer, 0, expected.bytes, expected.bytes, id)) Die("a wrong tensor");
    // The last one is kept for the main thread, which compares it while the driver waits.
    if (expected.last) {
      last_ = buffer;
    } else {
      pool_.GiveBack(buffer);
    }
    PostNext();
    arrived_[expected.round].Add();
  }

  const Args& args_;
  Party* const party_;
  const std::vector<Expected> expected_;
  std::deque<Counter> arrived_;  // by round
  const size_t ahead_;
  Pool pool_;
  std::atomic<uint64_t> next_{0};
  uint8_t* last_ = nullptr;
};

class EflLink final : public Link {
 public:
  EflLink(const Args& args, Party* party) : args_(args), party_(party) {}

  void Send(uint64_t id, const uint8_t* data, size_t size) override {
    const auto sent = std::make_shared<Counter>();
    under_way_.push_back(sent);
    party_->Send(NameOf(args_, id), static_cast<int64_t>(id), data, size, [sent] { sent->Add(); });
  }
  void AwaitArrival() override {
    under_way_.front()->AwaitAtLeast(1);
    under_way_.pop_front();
  }
  void AwaitVerified() override { party_->AwaitVerdict(round_++); }

 private:
  const Args& args_;
  Party* const party_;
  std::deque<std::shared_ptr<Counter>> under_way_;
  int64_t round_ = 0;
};

}  // namespace

void ServeEflThroughput(const Args& args, Party* party) {
  // Outlives the callbacks, which may come until the process ends.
  auto* receiver = new Receiver(args, party);
  receiver->Run();
}

void DriveEflThroughput(const Args& args, Party* party) {
  party->Connect();
  EflLink link(args, party);
  DriveThroughput(args, &link);
}

}  // namespace efl::bench
