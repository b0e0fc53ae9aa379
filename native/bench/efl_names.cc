#include <cstdio>
#include <string>
#include <vector>

#include "efl_cpp.h"
#include "pattern.h"

namespace efl::bench {
namespace {

constexpr int kAhead = 3;
constexpr int kWarmTotal = 1000;

// How often each name is sent: in the round that isn't counted, and in the one that is.
struct Steps {
  explicit Steps(const Args& args)
      : warm((kWarmTotal + args.names - 1) / args.names),
        counted((args.total + args.names - 1) / args.names) {}
  int all() const { return warm + counted; }

  int warm;
  int counted;
};

std::string NameOf(int name) { return "n" + std::to_string(name); }

uint64_t IdOf(const Args& args, int name, int step) {
  return static_cast<uint64_t>(step) * static_cast<uint64_t>(args.names) +
         static_cast<uint64_t>(name);
}

class Receiver {
 public:
  Receiver(const Args& args, Party* party)
      : args_(args),
        party_(party),
        steps_(args),
        buffer_(static_cast<size_t>(args.names) * kAhead * args.bytes) {}

  void Run() {
    for (int name = 0; name < args_.names; ++name) party_->Register(NameOf(name));
    PrintReady();
    party_->Connect();
    for (int name = 0; name < args_.names; ++name) {
      for (int step = 0; step < kAhead; ++step) Post(name, step);
    }
    party_->SendVerdict(0, 0);
    arrived_.AwaitAtLeast(IdOf(args_, 0, steps_.all()));
    party_->SendVerdict(1, 0);
  }

 private:
  void Post(int name, int step) {
    if (step >= steps_.all()) return;
    const int place = name * kAhead + step % kAhead;
    uint8_t* data = buffer_.data() + static_cast<size_t>(place) * args_.bytes;
    party_->Receive(
        NameOf(name), step,
        [this, data](size_t size) { return size == args_.bytes ? data : nullptr; },
        [this, name, step, data] {
          if (!MarksFit(data, 0, args_.bytes, args_.bytes, IdOf(args_, name, step))) {
            Die("a wrong tensor");
          }
          Post(name, step + kAhead);
          arrived_.Add();
        });
  }

  const Args& args_;
  Party* const party_;
  const Steps steps_;
  Buffer buffer_;
  Counter arrived_;
};

class Sender {
 public:
  Sender(const Args& args, Party* party)
      : args_(args), party_(party), buffer_(static_cast<size_t>(args.names) * args.bytes) {
    for (int name = 0; name < args.names; ++name) Fill(Of(name), 0, args.bytes, args.bytes, 0);
  }

  // Steps [from, to) of all names; returns how long it took.
  int64_t Round(int from, int to) {
    const int64_t start = NowNs();
    for (int name = 0; name < args_.names; ++name) Send(name, from, to);
    rounds_ += static_cast<uint64_t>(args_.names);
    finished_.AwaitAtLeast(rounds_);
    return NowNs() - start;
  }

 private:
  uint8_t* Of(int name) { return buffer_.data() + static_cast<size_t>(name) * args_.bytes; }

  void Send(int name, int step, int to) {
    Mark(Of(name), args_.bytes, IdOf(args_, name, step));
    party_->Send(NameOf(name), step, Of(name), args_.bytes, [this, name, step, to] {
      Progress();
      if (step + 1 < to) {
        Send(name, step + 1, to);
      } else {
        finished_.Add();
      }
    });
  }

  const Args& args_;
  Party* const party_;
  Buffer buffer_;
  uint64_t rounds_ = 0;
  Counter finished_;
};

}  // namespace

void ServeEflNames(const Args& args, Party* party) {
  auto* receiver = new Receiver(args, party);  // outlives the callbacks
  receiver->Run();
}

void DriveEflNames(const Args& args, Party* party) {
  party->Connect();
  party->AwaitVerdict(0);
  const Steps steps(args);
  auto* sender = new Sender(args, party);  // outlives the callbacks
  sender->Round(0, steps.warm);
  const auto ns = static_cast<double>(sender->Round(steps.warm, steps.all()));
  party->AwaitVerdict(1);
  std::printf("{\"us_per_tensor\":%.2f}\n", ns / 1000 / steps.counted / args.names);
}

}  // namespace efl::bench
