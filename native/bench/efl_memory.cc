#include <cstdio>

#include "efl_cpp.h"
#include "pattern.h"

namespace efl::bench {
namespace {

constexpr const char* kName = "t";
constexpr size_t kWarmBytes = 65536;

// What is resident at the peak beyond what was when it began. The tensor's own memory is resident
// at both sides before.
class Peak {
 public:
  Peak() {
    ResetPeak();
    before_ = ResidentMib();
  }
  double Mib() const { return PeakMib() - before_; }

 private:
  double before_;
};

void Receive(Party* party, int64_t step, Buffer* into, Counter* arrived) {
  party->Receive(
      kName, step, [into](size_t size) { return size <= into->size() ? into->data() : nullptr; },
      [arrived] { arrived->Add(); });
}

void Send(Party* party, int64_t step, const Buffer& data, size_t size) {
  Counter finished;
  party->Send(kName, step, data.data(), size, [&finished] { finished.Add(); });
  finished.AwaitAtLeast(1);
  Progress();
}

}  // namespace

void ServeEflMemory(const Args& args, Party* party) {
  static auto& into = *new Buffer(args.bytes);
  static auto& arrived = *new Counter;
  party->Register(kName);
  PrintReady();
  party->Connect();
  Receive(party, 0, &into, &arrived);
  arrived.AwaitAtLeast(1);
  const Peak peak;
  Receive(party, 1, &into, &arrived);
  party->SendVerdict(0, 0);
  arrived.AwaitAtLeast(2);
  const double mib = peak.Mib();
  Progress();
  if (!AllFits(into.data(), 0, args.bytes, args.bytes, 1)) Die("a damaged tensor");
  party->SendVerdict(1, static_cast<float>(mib));
}

void DriveEflMemory(const Args& args, Party* party) {
  Buffer data(args.bytes);
  Fill(data.data(), 0, args.bytes, args.bytes, 1);
  party->Connect();
  Send(party, 0, data, std::min(kWarmBytes, args.bytes));
  party->AwaitVerdict(0);
  const Peak peak;
  Send(party, 1, data, args.bytes);
  const double sender_mib = peak.Mib();
  const double receiver_mib = static_cast<double>(party->AwaitVerdict(1));
  std::printf("{\"sender_mib\":%.1f,\"receiver_mib\":%.1f}\n", sender_mib, receiver_mib);
}

}  // namespace efl::bench
