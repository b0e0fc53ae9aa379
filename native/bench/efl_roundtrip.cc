#include <memory>
#include <vector>

#include "efl_cpp.h"
#include "pattern.h"
#include "roundtrip.h"

namespace efl::bench {
namespace {

constexpr const char* kThere = "there";
constexpr const char* kBack = "back";
constexpr int kAhead = 2;
constexpr size_t kBuffers = 8;

class Answerer {
 public:
  Answerer(const Args& args, Party* party)
      : party_(party), total_(args.warm + args.count), pool_(kBuffers, args.bytes) {}

  void Run() {
    party_->Register(kThere);
    PrintReady();
    party_->Connect();
    for (int i = 0; i < kAhead; ++i) Post(i);
  }

 private:
  void Post(int step) {
    if (step >= total_) return;
    struct Arrived {
      uint8_t* data;
      size_t size;
    };
    auto arrived = std::make_shared<Arrived>();
    party_->Receive(
        kThere, step,
        [this, arrived](size_t size) {
          *arrived = {pool_.Take(), size};
          return arrived->data;
        },
        [this, arrived, step] {
          uint8_t* data = arrived->data;
          party_->Send(kBack, step, data, arrived->size, [this, data] { pool_.GiveBack(data); });
          Post(step + kAhead);
        });
  }

  Party* const party_;
  const int total_;
  Pool pool_;
};

// All in the callbacks: no thread has to be woken between an answer and the next question.
class Asker {
 public:
  Asker(const Args& args, Party* party)
      : party_(party),
        bytes_(args.bytes),
        warm_(args.warm),
        total_(args.warm + args.count),
        answer_(args.bytes),
        pool_(kBuffers, args.bytes) {
    std::vector<uint8_t*> buffers;
    for (size_t i = 0; i < kBuffers; ++i) {
      buffers.push_back(pool_.Take());
      Fill(buffers.back(), 0, bytes_, bytes_, 0);
    }
    for (uint8_t* buffer : buffers) pool_.GiveBack(buffer);
  }

  std::vector<int64_t> Run() {
    party_->Register(kBack);
    party_->Connect();
    for (int i = 0; i < kAhead; ++i) Post(i);
    Ask(0);
    answered_.AwaitAtLeast(1);
    finished_.AwaitAtLeast(static_cast<uint64_t>(total_));
    return ns_;
  }

 private:
  void Post(int step) {
    if (step >= total_) return;
    party_->Receive(
        kBack, step, [this](size_t size) { return size == bytes_ ? answer_.data() : nullptr; },
        [this, step] { OnAnswer(step); });
  }

  void Ask(int step) {
    uint8_t* data = pool_.Take();
    Mark(data, bytes_, static_cast<uint64_t>(step));
    since_ = NowNs();
    party_->Send(kThere, step, data, bytes_, [this, data] {
      pool_.GiveBack(data);
      finished_.Add();
    });
  }

  void OnAnswer(int step) {
    const int64_t now = NowNs();
    if (!AllFits(answer_.data(), 0, bytes_, bytes_, static_cast<uint64_t>(step))) {
      Die("the echo is not what was sent");
    }
    if (step >= warm_) ns_.push_back(now - since_);
    if (step + 1 == total_) {
      answered_.Add();
      return;
    }
    Ask(step + 1);
    Post(step + kAhead);
  }

  Party* const party_;
  const size_t bytes_;
  const int warm_;
  const int total_;
  Buffer answer_;
  Pool pool_;
  std::vector<int64_t> ns_;
  int64_t since_ = 0;
  Counter answered_;
  Counter finished_;
};

}  // namespace

void ServeEflRoundTrips(const Args& args, Party* party) {
  auto* answerer = new Answerer(args, party);  // outlives the callbacks
  answerer->Run();
}

void DriveEflRoundTrips(const Args& args, Party* party) {
  auto* asker = new Asker(args, party);  // outlives the callbacks
  PrintRoundTrips(asker->Run());
}

}  // namespace efl::bench
